"""Predict a folder of 20,000 files with every kind of odd file; its memory, order and completeness.

    python -m benchmarks.reliability.run folder

Three programs predict it: the light entry point, `edgeemo predict` and a bundle, on two workers
each. Every file with the name of an image has to give one line, in the order of names: a prediction
or an error. Pipes, sockets, devices and links that lead nowhere have to give none.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks.machine import wait_for
from benchmarks.reliability.check import Check
from benchmarks.reliability.odd_folder import ERROR, IMAGE, make_folder
from benchmarks.reliability.subjects import SHIPPED, make_face_bundle

if TYPE_CHECKING:
    from collections.abc import Sequence

COUNT = 20_000
MAX_MB = 100


def measure(count: int = COUNT) -> list[Check]:
    """Return the check of a folder of `count` files."""
    with TemporaryDirectory() as place:
        expected = make_folder(Path(place, "files"), count)
        bundle = make_face_bundle(Path(place))
        python, model = sys.executable, str(SHIPPED / "int8.tflite")
        options = ["--json", "--no-faces", "--workers", "2"]
        commands = {
            "python -m edgeemo.runtime": [python, "-m", "edgeemo.runtime", model, *options],
            "edgeemo predict": [python, "-m", "edgeemo", "predict", "--model", model, *options],
            "a bundle": [python, str(bundle), "predict", *options],
        }
        peaks, faults = [], []
        for name, command in commands.items():
            peak_mb, problems = run(command, Path(place, "files"), expected)
            peaks.append(peak_mb)
            faults += [f"{name}: {problem}" for problem in problems]
    print(*faults, sep="\n", file=sys.stderr)
    return [
        Check(
            name=f"a folder of {count:,} files, every kind of odd file among them, with "
            f"{', '.join(commands)}: peak memory; files missing, in another order or answered"
            " otherwise",
            measured=f"{max(peaks):.0f} MB; {len(faults)}",
            promise=f"≤ {MAX_MB} MB; 0",
            kept=max(peaks) <= MAX_MB and not faults,
        )
    ]


def run(
    command: Sequence[str], folder: Path, expected: list[tuple[str, str]]
) -> tuple[float, list[str]]:
    """Return the peak megabytes of a command on a folder, and what is wrong with its lines.

    Args:
        command: Program and arguments, without the folder; it prints an object of JSON per image.
        folder: The folder.
        expected: Path and kind of each line.
    """
    with TemporaryDirectory() as place:
        out, err = Path(place, "out"), Path(place, "err")
        with out.open("wb") as stdout, err.open("wb") as stderr:
            started = subprocess.Popen([*command, str(folder)], stdout=stdout, stderr=stderr)
            usage = wait_for(started)
        rows = [json.loads(line) for line in out.read_text().splitlines()]
        printed = err.read_text(errors="replace")
    faults = [] if started.returncode == 1 else [f"exit status {started.returncode}"]
    if "Traceback" in printed:
        faults.append(printed[-500:])
    found = [(row["file"], ERROR if "error" in row else IMAGE) for row in rows]
    if found != expected:
        wrong = set(found) ^ set(expected)
        faults += [f"{kind}: {path!r}" for path, kind in sorted(wrong)] or ["another order"]
    return usage.peak_mb, faults
