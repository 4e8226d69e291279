"""Start of `edgeemo live` up to its first prediction, against a bare script with the same imports.

Both read a JPEG from standard input with the included model. The bare script imports the modules
that `edgeemo live` has imported by then, loads the model, predicts and prints. Whole processes run
in turn; the goal is 1.25 times the script's time at most.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.machine import wait_for
from edgeemo.live.sources.drawn import DrawnFaces
from edgeemo.live.sources.settings import SourceSettings

_LIVE = (sys.executable, "-m", "edgeemo", "live", "-", "--json")
_LIST_MODULES = """
import runpy, sys
sys.argv = ["edgeemo", "live", "-", "--json"]
try:
    runpy.run_module("edgeemo", run_name="__main__")
except SystemExit:
    pass
print(*sys.modules, file=sys.stderr)
"""
_BARE = """
import importlib, sys
for name in sys.argv[1].split():
    try:
        importlib.import_module(name)
    except ImportError:
        pass
from edgeemo.cli.default_model import choose_model
from edgeemo.runtime.classifier import Classifier
classifier = Classifier.load(choose_model(None))
print([each.scores for each in classifier.predict_all(sys.stdin.buffer.read())], flush=True)
"""


def main(arguments):
    """Run both in turn; print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=21)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "face.jpg"
        DrawnFaces(SourceSettings()).open().draw(0.0).save(image)
        modules = list_modules(image)
        bare = (sys.executable, "-c", _BARE, modules)
        pairs = [(run(bare, image), run(_LIVE, image)) for _ in range(given.runs + 2)][2:]
    clock, processor = (
        median(ours[which] / theirs[which] for theirs, ours in pairs) for which in (0, 1)
    )
    script, ours = (median(pair[side][0] for pair in pairs) for side in (0, 1))
    print(
        f"edgeemo live {ours * 1000:.0f} ms, bare script {script * 1000:.0f} ms to the first "
        f"prediction ({len(modules.split())} modules): {clock:.2f} x; whole process, processor "
        f"time: {processor:.2f} x"
    )
    return 0 if clock <= 1.25 else 1


def list_modules(image):
    """Return the names of the modules that `edgeemo live` imports."""
    command = [sys.executable, "-c", _LIST_MODULES]
    with image.open("rb") as file:
        done = subprocess.run(command, stdin=file, capture_output=True, text=True, check=True)
    names = done.stderr.splitlines()[-1].split()
    return " ".join(name for name in names if name not in ("__main__", "edgeemo.__main__"))


def run(command, image):
    """Return the seconds to the first line, and those of the processor up to the end."""
    with image.open("rb") as file:
        begun = time.perf_counter()
        process = subprocess.Popen(
            command, stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONHASHSEED": "0"},
        )  # fmt: skip
        first = process.stdout.readline()
        clock_s = time.perf_counter() - begun
        process.stdout.close()
    usage = wait_for(process)
    if not first:
        raise SystemExit(f"failed: {' '.join(command[:4])} ...")
    return clock_s, usage.cpu_ms / 1000
