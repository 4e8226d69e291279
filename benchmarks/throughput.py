"""Measure images per second of ``edgeemo predict DIR``, one worker and one per core, and memory.

    python benchmarks/throughput.py models/NAME/int8.tflite [FILE ...] [--images 500] [--rounds 5]

DIR holds drawn JPEG images, of 640x480 and, eight times as many, of 48x48. In turn: one process
with one worker; as many of those side by side as there are cores, each over the whole folder, which
is the machine's maximum (the ceiling); one command with a worker process per core. The rate counts
from the first prediction to the last; "whole" counts the start of the process as well. Medians over
runs in which no other process used the machine. On a machine that is never idle, --busy measures
the second table alone: processor time of the workers together, and the share that they wait
(`benchmarks/worker_time.py`). The promise is 0.9 x cores x the rate of one worker; memory, of the
process and its workers with shared pages counted once, must not grow with the number of images.
"""

from __future__ import annotations

import argparse
import json
import re
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
SMALL, TIMES = (48, 48), 8
PROMISE = 0.9
COLUMNS = (
    "file, images: images per second", "one worker", "ceiling", "a worker per core",
    "of cores x one", "of the ceiling", "whole command, of cores x one", "remark",
)  # fmt: skip

WAITING_COLUMNS = (
    "file, images", "processor ms an image, one worker", "a worker per core",
    "of it the parent process's", "share that workers wait", "of cores x one, from these",
)  # fmt: skip


@dataclass(frozen=True)
class Run:
    """One command: images per second, and the memory of all its processes near the end."""

    rate: float
    whole_rate: float
    memory_mb: float


def predict(model: str, folder: Path, workers: int) -> Run:
    """Predict a folder in a process of its own."""
    words = [
        "predict", str(folder), "--model", model, "--no-faces", "--json", "--workers", str(workers),
    ]  # fmt: skip
    count = len(list(folder.iterdir()))
    memory_mb = 0.0
    moments = []
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "edgeemo.cli.start", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with process.stdout as lines:
        for number, _ in enumerate(lines):
            moments.append(time.perf_counter())
            if number == count * 3 // 4:
                memory_mb = read_memory_mb(process.pid)
    wait_for(process)
    end = time.perf_counter()
    if process.returncode:
        raise SystemExit(f"failed: edgeemo {' '.join(words)}")
    between = (len(moments) - 1) / (moments[-1] - moments[0])
    return Run(between, len(moments) / (end - start), memory_mb)


def read_memory_mb(process: int) -> float:
    """Return the memory of a process and its children, with shared pages counted once."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    texts = [Path(f"/proc/{each}/smaps_rollup").read_text() for each in (process, *children)]
    return sum(int(re.search(r"^Pss: +(\d+)", text, re.MULTILINE)[1]) for text in texts) / 1024


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
        sum(run.memory_mb for run in runs),
    )


def name(model: str, folder: Path) -> str:
    """Return the name of a row."""
    return f"{Path(model).parent.name}/{Path(model).name}, {folder.name}"


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
        f"| {name(model, folder)} | {one:.0f} | {ceiling:.0f} | {many:.0f} "
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
        rows.append((one[0], *many, one[0] / many[0]))
    one_ms, many_ms, parent, waited, ratio = (median(column) for column in zip(*rows, strict=True))
    print(
        f"| {name(model, folder)} | {one_ms:.2f} | {many_ms:.2f} | {parent:.2f} | {waited:.1%} "
        f"| {ratio * (1 - waited):.2f} |",
        flush=True,
    )


def print_memory(model: str, folder: Path) -> None:
    """Print the memory for growing folders of the same frames."""
    frames = sorted(folder.iterdir())
    for workers in (1, CORES):
        found = []
        for count in COUNTS:
            with tempfile.TemporaryDirectory(dir=folder.parent) as links:
                for number in range(count):
                    Path(links, f"{number:05}.jpg").hardlink_to(frames[number % len(frames)])
                found.append(predict(model, Path(links), workers).memory_mb)
        cells = [f"{name(model, folder)}, {workers}", *(f"{each:.1f}" for each in found)]
        print(markdown_row(cells), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+", metavar="MODEL")
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--busy", action="store_true", help="the second table alone")
    options = parser.parse_args()
    print(describe("numpy", "pillow", "ai-edge-litert") + "\n")
    with tempfile.TemporaryDirectory() as parent:
        frames = draw_frames(Path(parent) / "640x480", options.images)
        small = draw_frames(Path(parent) / "48x48", options.images, size=SMALL)
        for image in list(small.iterdir()):
            for copy in range(1, TIMES):
                (small / f"{image.stem}-{copy}.jpg").hardlink_to(image)
        pairs = [(model, folder) for model in options.models for folder in (frames, small)]
        if not options.busy:
            print("\n".join(markdown_head(COLUMNS, words=len(COLUMNS))))
            for model, folder in pairs:
                print_rates(model, folder, options.rounds)
        print("\n" + "\n".join(markdown_head(WAITING_COLUMNS, words=len(WAITING_COLUMNS))))
        for model, folder in pairs:
            print_waiting(model, folder, options.rounds)
        if not options.busy:
            heads = ["file, images, workers: MB", *(f"{count} images" for count in COUNTS)]
            print("\n" + "\n".join(markdown_head(heads, words=len(heads))))
            for model in options.models:
                print_memory(model, frames)
    print(f"\npromised: {PROMISE} x cores x one worker; memory that does not grow")


if __name__ == "__main__":
    main()
