"""What the system tells of its state; a Raspberry Pi's files are put in place of this machine's."""

from __future__ import annotations

import pytest

from edgeemo.bench import conditions
from edgeemo.bench.conditions import ConditionsMonitor, read_conditions
from edgeemo.utils import thermal
from edgeemo.utils.thermal import describe_throttling


@pytest.fixture
def pi(tmp_path, monkeypatch):
    """A Raspberry Pi's files; change them to change its state."""
    files = {"governor": "ondemand\n", "clock": "1500000\n", "throttled": "0\n", "stat": "cpu 0\n"}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    zone = tmp_path / "zone"
    zone.mkdir()
    (zone / "type").write_text("cpu-thermal\n")
    (zone / "temp").write_text("48312\n")
    monkeypatch.setattr(conditions, "_GOVERNORS", str(tmp_path / "governor"))
    monkeypatch.setattr(conditions, "_CLOCKS", str(tmp_path / "clock"))
    monkeypatch.setattr(thermal, "_THROTTLED", str(tmp_path / "throttled"))
    monkeypatch.setattr(thermal, "_ZONES", str(zone))
    monkeypatch.setattr(conditions, "_STAT", str(tmp_path / "stat"))
    return tmp_path


def test_what_a_pi_tells(pi):
    found = read_conditions()
    assert (found.governors, found.mhz) == (("ondemand",), (1500,))
    assert (found.celsius, found.throttled) == ({"cpu-thermal": 48.312}, 0)


def test_what_is_not_told_is_left_out(pi, monkeypatch):
    for module, name in (
        (conditions, "_GOVERNORS"),
        (conditions, "_CLOCKS"),
        (thermal, "_THROTTLED"),
        (thermal, "_ZONES"),
    ):
        monkeypatch.setattr(module, name, str(pi / "gone"))
    monkeypatch.setattr(thermal, "_VCGENCMD", (str(pi / "gone"),))
    found = read_conditions()
    assert (found.governors, found.mhz, found.celsius, found.throttled) == ((), (), {}, None)
    assert ConditionsMonitor().list_warnings() == ()


def test_where_the_kernel_does_not_tell_the_pis_own_tool_is_asked(pi, monkeypatch):
    monkeypatch.setattr(thermal, "_THROTTLED", str(pi / "gone"))
    monkeypatch.setattr(thermal, "_VCGENCMD", ("echo", "throttled=0x50005"))
    assert read_conditions().throttled == 0x50005


@pytest.mark.parametrize(
    ("bits", "words"),
    [
        (0x0, []),
        (0x50005, ["undervoltage", "throttled"]),
        (0x50000, ["undervoltage since it was started", "throttled since it was started"]),
        (0x80008, ["soft temperature limit"]),
        (0x20000, ["clock capped since it was started"]),
    ],
)
def test_the_bits_in_words(bits, words):
    assert describe_throttling(bits) == words


def test_the_governor_is_worth_a_warning(pi):
    assert "governor ondemand" in ConditionsMonitor().list_warnings()[0]
    (pi / "governor").write_text("performance\n")
    assert ConditionsMonitor().list_warnings() == ()


@pytest.mark.parametrize("during", ["5", "50000"])
def test_throttling_during_the_run_is_seen_even_if_it_is_over(pi, during):
    (pi / "governor").write_text("performance\n")
    monitor = ConditionsMonitor()
    (pi / "throttled").write_text(f"{during}\n")
    monitor.update()
    (pi / "throttled").write_text("50000\n")
    monitor.update()
    assert monitor.summarise().throttled_during == ("undervoltage", "throttled")
    assert monitor.list_warnings() == (
        "the board was throttled during the run: undervoltage, throttled",
    )


def test_throttling_long_before_the_run_is_no_reproach(pi):
    (pi / "governor").write_text("performance\n")
    (pi / "throttled").write_text("50000\n")
    monitor = ConditionsMonitor()
    monitor.update()
    assert monitor.list_warnings() == ()
    assert monitor.summarise().before.throttled_reasons == [
        "undervoltage since it was started",
        "throttled since it was started",
    ]


def test_other_processes_are_noticed(pi, monkeypatch):
    """Of 10 seconds in which two cores were busy for 12, this process and its workers used 4."""
    ticks = conditions.os.sysconf("SC_CLK_TCK")
    own = iter([(0.0, 0.0, 0.0, 0.0, 100.0), (1.0, 0.5, 2.0, 0.5, 110.0)])
    monkeypatch.setattr(conditions.os, "times", lambda: conditions.os.times_result(next(own)))
    (pi / "governor").write_text("performance\n")
    (pi / "stat").write_text("cpu 0 0 0 0 0 0 0 0 0 0\n")
    monitor = ConditionsMonitor()
    (pi / "stat").write_text(f"cpu {8 * ticks} 0 {3 * ticks} 999999 50 0 0 {ticks} 0 0\n")
    monitor.update()
    assert monitor.summarise().cores_used_by_others == 0.8
    assert "other processes used 0.8 cores" in monitor.list_warnings()[0]
