"""Energy of predictions, on boards that tell it; they are simulated."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest

from edgeemo.bench import energy
from edgeemo.bench.energy import RegulatorMeter, find_meter, parse_watts
from edgeemo.bench.protocol import Rate
from edgeemo.bench.results import BenchmarkReport
from edgeemo.bench.table import build_tables
from edgeemo.utils.serialize import to_plain

from .conftest import estimate, report, result
from .test_measure import found, run_with

PMIC = """\
   3V7_WL_SW_A current(0)=0.10000000A
   3V3_SYS_A current(1)=0.50000000A
   VDD_CORE_A current(7)=2.00000000A
   3V7_WL_SW_V volt(8)=3.70000000V
   3V3_SYS_V volt(9)=3.30000000V
   VDD_CORE_V volt(15)=0.80000000V
   EXT5V_V volt(24)=5.10000000V
"""
"""Three of the regulators of a Raspberry Pi 5, in the format of its firmware."""


@pytest.fixture
def counters(tmp_path, monkeypatch):
    """Two packages of a processor, and a domain inside one of them that must not count twice."""
    monkeypatch.setattr(energy, "_PACKAGES", f"{tmp_path}/intel-rapl:[0-9]*")
    monkeypatch.setattr(energy, "_PMIC", ("no-such-program",))

    def write(first: int, second: int) -> None:
        for name, value in (("0", first), ("1", second), ("0:0", 10**9)):
            folder = tmp_path / f"intel-rapl:{name}"
            folder.mkdir(exist_ok=True)
            (folder / "energy_uj").write_text(f"{value}\n")
            (folder / "max_energy_range_uj").write_text("10000000\n")

    write(1_000_000, 9_000_000)
    return write


def test_the_counters_of_the_packages_are_added_also_where_one_begins_again(counters):
    meter = find_meter()
    meter.start()
    counters(1_500_000, 500_000)
    assert (meter.source, meter.stop()) == ("processor", pytest.approx(0.5 + 1.5))


def test_counters_that_only_root_may_read_are_none(counters, tmp_path):
    (tmp_path / "intel-rapl:1/energy_uj").unlink()
    assert find_meter() is None


def test_the_power_of_regulators_is_current_times_voltage():
    assert parse_watts(PMIC) == pytest.approx(0.37 + 1.65 + 1.6)
    assert parse_watts("EXT5V_V volt(24)=5.1V") is None
    assert parse_watts("error=1 error_msg=Command not registered") is None


def test_the_regulators_are_read_while_images_are_predicted(tmp_path, monkeypatch):
    program = tmp_path / "vcgencmd"
    program.write_text(f"#!/bin/sh\n[ $1 = pmic_read_adc ] && cat <<END\n{PMIC}END\n")
    program.chmod(0o755)
    monkeypatch.setattr(energy, "_PACKAGES", f"{tmp_path}/none")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    meter = find_meter()
    begun = time.perf_counter()
    meter.start()
    while not meter._watts:
        time.sleep(0.01)
    joules = meter.stop()
    assert meter.source == "regulators"
    assert 0 < joules <= 3.62 * (time.perf_counter() - begun) * 1.01


def test_regulators_that_fall_silent_give_nothing():
    meter = RegulatorMeter(lambda: None)
    meter.start()
    assert meter.stop() is None


def test_a_report_has_a_table_of_energy_where_there_is_any(tmp_path):
    silent = report(result("a.tflite", 5))
    assert not any("Energy" in each.title for each in build_tables(silent))
    rate = Rate(images_per_second=100.0, joules_per_image=0.02, energy_source="processor")
    (measured,), _ = run_with(lambda _: found(rate=rate))
    assert measured.measurement.watts == pytest.approx(2)
    (table,) = (each for each in build_tables(report(measured)) if "Energy" in each.title)
    assert table.title == "Energy at the rate of that table, of the processor"
    assert table.rows == [("a.tflite x1", "20.00", "2.00")]


def test_a_report_with_energy_is_read_again():
    made = result("a.tflite", 5)
    figures = replace(made.measurement, joules_per_image=estimate(0.03), energy_source="regulators")
    written = report(replace(made, measurement=figures))
    text = json.dumps(to_plain(written)).encode()
    assert BenchmarkReport.from_json(text, origin="x") == written
