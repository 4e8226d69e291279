"""Measure images per second of ``edgeemo predict DIR``, one worker and one per core, and memory.

    python benchmarks/throughput.py models/NAME/int8.tflite [FILE ...] [--images 500] [--rounds 5]

DIR holds drawn 640x480 JPEG frames. In turn: one process with one worker; as many of those side by
side as there are cores, each over the whole folder, which is the machine's maximum (the ceiling);
one process with a worker per core. The rate counts from the first prediction to the last; "whole"
counts the start of the process as well. Medians over runs in which no other process used the
machine; on a machine that is never idle, the second table is more reliable: processor time of the
workers together, and the share that they wait (`benchmarks/worker_time.py`).
The promise is 0.9 x cores x the rate of one worker; memory must not grow with the number of
images.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from frames import draw_frames
from machine import CORES, describe, measure_quietly, wait_for

from edgeemo.utils.text import markdown_head, markdown_row

COUNTS = (50, 500, 2000)
PROMISE = 0.9
COLUMNS = (
    "file: images per second", "one worker", "ceiling", "a worker per core",
    "of cores x one", "of the ceiling", "whole command, of cores x one", "remark",
)  # fmt: skip

WAITING_COLUMNS = (
    "file", "processor ms an image, one worker", "a worker per core", "share that workers wait",
    "of cores x one, from these",
)  # fmt: skip


@dataclass(frozen=True)
class Run:
    """One process: images per second, and peak memory."""

    rate: float
    whole_rate: float
    peak_mb: float


def predict(model: str, folder: Path, workers: int) -> Run:
    """Predict a folder in a process of its own."""
    words = ["predict", str(folder), "--model", model, "--json", "--workers", str(workers)]
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "edgeemo.cli.start", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with process.stdout as lines:
        moments = [time.perf_counter() for _ in lines]
    usage = wait_for(process)
    end = time.perf_counter()
    if process.returncode:
        raise SystemExit(f"failed: edgeemo {' '.join(words)}")
    between = (len(moments) - 1) / (moments[-1] - moments[0])
    return Run(between, len(moments) / (end - start), usage.peak_mb)


def predict_side_by_side(model: str, folder: Path) -> Run:
    """Run a process per core, each with one worker over the whole folder."""
    runs: list[Run] = []
    threads = [
        threading.Thread(target=lambda: runs.append(predict(model, folder, 1)))
        for _ in range(CORES)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Run(
        sum(run.rate for run in runs),
        sum(run.whole_rate for run in runs),
        sum(run.peak_mb for run in runs),
    )


def print_rates(model: str, folder: Path, rounds: int) -> None:
    """Print one row."""
    measures = (
        lambda: predict(model, folder, 1),
        lambda: predict_side_by_side(model, folder),
        lambda: predict(model, folder, CORES),
    )
    sides, remark = measure_quietly(measures, rounds)
    one, ceiling, many = (median(run.rate for run in runs) for runs in sides)
    whole_one, _, whole_many = (median(run.whole_rate for run in runs) for runs in sides)
    print(
        f"| {Path(model).name} | {one:.0f} | {ceiling:.0f} | {many:.0f} "
        f"| {many / (CORES * one):.2f} | {many / ceiling:.2f} "
        f"| {whole_many / (CORES * whole_one):.2f} | {remark} |",
        flush=True,
    )


def print_waiting(model: str, folder: Path, rounds: int) -> None:
    """Print one row: processor time per image, and the share that several workers wait."""
    script = Path(__file__).with_name("worker_time.py")
    rows = []
    for _ in range(rounds):
        one, many = (
            json.loads(subprocess.check_output(
                [sys.executable, script, model, folder, str(workers)],
                text=True, stderr=subprocess.DEVNULL,
            ))
            for workers in (1, CORES)
        )  # fmt: skip
        rows.append((one[0], many[0], one[0] / many[0], many[1]))
    one_ms, many_ms, ratio, waited = (median(column) for column in zip(*rows, strict=True))
    print(
        f"| {Path(model).name} | {one_ms:.2f} | {many_ms:.2f} | {waited:.1%} "
        f"| {ratio * (1 - waited):.2f} |",
        flush=True,
    )


def print_memory(model: str, folder: Path) -> None:
    """Print the peak memory for growing folders of the same frames."""
    frames = sorted(folder.iterdir())
    for workers in (1, CORES):
        peaks = []
        for count in COUNTS:
            with tempfile.TemporaryDirectory(dir=folder.parent) as links:
                for number in range(count):
                    Path(links, f"{number:05}.jpg").hardlink_to(frames[number % len(frames)])
                peaks.append(predict(model, Path(links), workers).peak_mb)
        cells = [f"{Path(model).name}, {workers}", *(f"{peak:.1f}" for peak in peaks)]
        print(markdown_row(cells), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+", metavar="MODEL")
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print(describe("numpy", "pillow", "ai-edge-litert") + "\n")
    with tempfile.TemporaryDirectory() as parent:
        folder = draw_frames(Path(parent) / "frames", options.images)
        print("\n".join(markdown_head(COLUMNS, words=len(COLUMNS))))
        for model in options.models:
            print_rates(model, folder, options.rounds)
        print("\n" + "\n".join(markdown_head(WAITING_COLUMNS, words=len(WAITING_COLUMNS))))
        for model in options.models:
            print_waiting(model, folder, options.rounds)
        heads = ["file, workers: peak MB", *(f"{count} images" for count in COUNTS)]
        print("\n" + "\n".join(markdown_head(heads, words=len(heads))))
        for model in options.models:
            print_memory(model, folder)
    print(f"\npromised: {PROMISE} x cores x one worker; memory that does not grow")


if __name__ == "__main__":
    main()
