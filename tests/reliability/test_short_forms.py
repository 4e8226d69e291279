"""Short forms of the parts of `make reliability` that stand nowhere else in the tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.reliability import folder, resealed
from benchmarks.reliability.predictions import sample_memory

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
_KILLS = """
import sys
from benchmarks.reliability.kill_cases import CASES
from benchmarks.reliability.kills import measure
count, heavy = int(sys.argv[1]), sys.argv[2] == "heavy"
chosen = tuple(case for case in CASES if case.needs_tensorflow == heavy)
(check,) = measure(count, tuple(case for case in chosen if case.trains) if heavy else chosen)
print(check.measured)
"""


@pytest.mark.parametrize("faces", [False, True])
def test_memory_does_not_grow(faces):
    """A leak of a kilobyte per prediction would be 1.8 MB."""
    samples = sample_memory(2000, faces=faces)
    assert len(samples) > 800
    assert samples[-1, 1] - samples[0, 1] < 1.0


def test_resealed_models_are_refused_or_predict(capfd):
    (check,) = resealed.measure(40)
    said = capfd.readouterr()
    assert check.measured == "0 / 0 / 0", said.err
    assert "refused" in said.out
    assert "predicted" in said.out


def test_a_folder_of_odd_files_is_predicted_in_order(capfd):
    (check,) = folder.measure(400)  # its memory would be that of the tests, which start it
    assert check.measured.endswith(" MB; 0"), capfd.readouterr().err


@pytest.mark.parametrize(
    ("count", "kind"), [(12, "light"), pytest.param(3, "heavy", marks=pytest.mark.tensorflow)]
)
def test_nothing_is_left_of_killed_commands(count, kind):
    """Every fourth is process 1 of a PID namespace, where those may be made."""
    command = [sys.executable, "-c", _KILLS, str(count), kind]
    ran = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert ran.stdout.splitlines()[-1:] == ["0 / 0 / 0 / 0"], ran.stdout + ran.stderr
