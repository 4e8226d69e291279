"""Measure ``edgeemo evaluate`` against ``edgeemo predict`` on the same images.

    python benchmarks/evaluate_rate.py [MODEL ...] [--data DIR] [--images 400] [--rounds 5]

Without --data the images are drawn 640x480 JPEG frames in two class folders, in which both commands
detect faces. Whole commands in turn, with a worker per core, their output thrown away. Medians over
runs in which no other process used the machine; where it is never idle, the ratio of processor
times is more reliable. The promise is 0.9 x the rate of predict.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from frames import draw_frames
from machine import describe, measure_quietly, wait_for

from edgeemo.utils.text import markdown_head, markdown_row

PROMISE = 0.9
COLUMNS = (
    "model: images per second", "predict", "evaluate", "ratio", "ratio of processor times",
    "remark",
)  # fmt: skip


@dataclass(frozen=True)
class Run:
    """One command: wall and processor time in seconds."""

    seconds: float
    cpu_seconds: float


def run(words: list[str]) -> Run:
    """Run a command in a process of its own."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "edgeemo", *words, "--json", "-q"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    problem = process.stderr.read()
    usage = wait_for(process)
    if process.returncode and words[0] != "predict":  # which fails where one image cannot be read
        raise SystemExit(f"failed: edgeemo {' '.join(words)}\n{problem}")
    return Run(time.perf_counter() - start, usage.cpu_ms / 1000)


def print_rates(model: str, folder: Path, *, images: int, rounds: int, faces: list[str]) -> None:
    """Print one row."""
    words = (
        ["predict", str(folder), "--model", model, *faces],
        ["evaluate", model, "--data", str(folder), *faces],
    )
    sides, remark = measure_quietly([partial(run, each) for each in words], rounds)
    rates = [median(images / each.seconds for each in side) for side in sides]
    cpu = [median(each.cpu_seconds for each in side) for side in sides]
    cells = [
        model, *(f"{rate:.0f}" for rate in rates), f"{rates[1] / rates[0]:.2f}",
        f"{cpu[0] / cpu[1]:.2f}", remark,
    ]  # fmt: skip
    print(markdown_row(cells), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", default=["happy-sad"], metavar="MODEL")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--images", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print(describe("numpy", "pillow", "ai-edge-litert") + "\n")
    with tempfile.TemporaryDirectory() as parent:
        folder, images = options.data, options.images
        if folder is None:
            folder = Path(parent)
            for label in ("happy", "sad"):
                draw_frames(folder / label, images // 2)
        else:
            images = sum(path.is_file() for path in folder.rglob("*.*"))
        print("\n".join(markdown_head(COLUMNS, words=len(COLUMNS))))
        for model in options.models:
            faces = [] if options.data else ["--faces"]
            print_rates(model, folder, images=images, rounds=options.rounds, faces=faces)
    print(f"\npromised: {PROMISE} x the rate of predict")


if __name__ == "__main__":
    main()
