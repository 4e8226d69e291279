"""Measure the time of the ingest and of the check: on FER2013, and its growth.

    python benchmarks/ingest.py --data DIR
    python benchmarks/ingest.py --data DIR --check

DIR holds ``fer2013_original/``, of which happy and sad are taken; without it that part is left
out. Three tables: the whole ingest of FER2013 (hashing and duplicate search included; the promise
is 60 s on two cores), the search for near-duplicates over up to 200,000 hashes of which one in ten
has a near-duplicate, and the whole ingest of drawn images in growing numbers. With --check
instead the check of a folder: of FER2013 (the same promise), and of up to 200,000 drawn images, one
in ten a near-duplicate, each number in a process of its own, so that the peak of its memory is its
own. Processor seconds are those of all threads together, which a busy machine disturbs less;
"growth" is the exponent from the first row: 1 is linear, 2 quadratic.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from machine import describe
from PIL import Image

from edgeemo.dataset import IngestOptions, draw_faces, ingest_folder
from edgeemo.dataset.check import check_folder
from edgeemo.dataset.ingest.near_duplicates import group_similar

if TYPE_CHECKING:
    from collections.abc import Callable

FER2013, CLASSES = "fer2013_original", ("happy", "sad")
PROMISE_S = 60
HASHES = (12_500, 25_000, 50_000, 100_000, 200_000)
DRAWN = (250, 500, 1000, 2000, 4000)
CHECKED = (12_500, 50_000, 200_000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("EDGEEMO_DATA"))
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--check-one", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.check_one:
        check_one(options.check_one)
        return
    data = options.data
    print(describe("numpy", "pillow", "imagehash"))
    if options.check:
        checks(data)
        return
    ingest_folder(drawn(8))  # import everything once
    if data and (data / FER2013).is_dir():
        fer2013(data / FER2013)
    growth("near-duplicate search, hashes", HASHES, search)
    growth("whole ingest, drawn images of 64x64", DRAWN, whole)


def fer2013(folder: Path) -> None:
    start = time.process_time()
    options = IngestOptions(classes=CLASSES)
    seconds, summary = timed(lambda: ingest_folder(folder, options=options).summary)
    cpu_s = time.process_time() - start
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    heading = f"{'seconds':>10}{'CPU s':>10}{'µs each':>10}{'peak MB':>10}{'promise':>10}"
    print(f"\n{'FER2013, files':40}{heading}")
    numbers = f"{seconds:10.1f}{cpu_s:10.1f}{cpu_s / summary.found * 1e6:10.0f}"
    print(f"{summary.found:<40}{numbers}{peak_mb:10.0f}{PROMISE_S:>8} s")
    print(f"excluded: {summary.rejected}, leaks: {summary.leaks}")


def checks(data: Path | None) -> None:
    heading = f"{'seconds':>10}{'CPU s':>10}{'µs each':>10}{'growth':>10}{'peak MB':>10}"
    if data and (data / FER2013).is_dir():
        print(f"\n{'check of FER2013, files':40}{heading}")
        print_check(measured(data / FER2013), None)
    print(f"\n{'check of drawn images of 48x48':40}{heading}")
    first = None
    for count in CHECKED:
        folder = blotches(Path(_FOLDER.name) / f"blotches-{count}", count)
        row = measured(folder)
        first = first or row
        print_check(row, first)


def measured(folder: Path) -> dict[str, float]:
    command = [sys.executable, __file__, "--check-one", str(folder)]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


def check_one(folder: Path) -> None:
    start = time.process_time()
    classes = CLASSES if folder.name == FER2013 else None
    seconds, checked = timed(lambda: check_folder(folder, classes=classes))
    cpu_s = time.process_time() - start
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    row = {"found": checked.found, "seconds": seconds, "cpu_s": cpu_s, "peak_mb": peak_mb}
    print(json.dumps(row))


def print_check(row: dict[str, float], first: dict[str, float] | None) -> None:
    exponent = ""
    if first and row["found"] > first["found"]:
        times = row["found"] / first["found"]
        exponent = f"{math.log(row['cpu_s'] / first['cpu_s']) / math.log(times):.2f}"
    each = row["cpu_s"] / row["found"] * 1e6
    numbers = f"{row['seconds']:10.1f}{row['cpu_s']:10.1f}{each:10.0f}{exponent:>10}"
    print(f"{row['found']:<40}{numbers}{row['peak_mb']:10.0f}", flush=True)


def blotches(folder: Path, count: int) -> Path:
    """Images that take no time to draw; every tenth is the one before, compressed harder."""
    for number in range(count):
        label = folder / ("dark" if number % 20 < 10 else "light")
        label.mkdir(parents=True, exist_ok=True)
        copy = number % 10 == 9
        rng = np.random.default_rng(number - copy)
        small = rng.integers(0, 256, (6, 6, 3)).astype(np.uint8)
        image = Image.fromarray(small).resize((48, 48), Image.Resampling.BICUBIC)
        content = io.BytesIO()
        image.save(content, "JPEG", quality=70 if copy else 90)
        (label / f"{number:06}.jpg").write_bytes(content.getvalue())
    return folder


def growth(title: str, sizes: tuple[int, ...], run: Callable[[int], float]) -> None:
    print(f"\n{title:40}{'CPU s':>10}{'µs each':>10}{'growth':>10}")
    first = None
    for size in sizes:
        seconds = min(run(size) for _ in range(3))
        first = first or (size, seconds)
        ratio, times = seconds / first[1], size / first[0]
        exponent = f"{math.log(ratio) / math.log(times):.2f}" if times > 1 else ""
        print(f"{size:<40}{seconds:10.2f}{seconds / size * 1e6:10.0f}{exponent:>10}")


def search(count: int) -> float:
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 256, (count, 8)).astype(np.uint8)
    thumbnails = rng.integers(0, 256, (count, 256)).astype(np.uint8)
    copies, originals = rng.choice(count, (2, count // 10), replace=False)
    hashes[copies], thumbnails[copies] = hashes[originals], thumbnails[originals]
    hashes[copies, 0] ^= 5  # two bits differ
    seconds, groups = timed(lambda: group_similar(hashes, thumbnails), clock=time.process_time)
    if len(np.unique(groups)) != count - count // 10:
        raise RuntimeError("the search missed near-duplicates")
    return seconds


_FOLDER = tempfile.TemporaryDirectory(prefix="edgeemo-benchmark-")


def drawn(count: int) -> Path:
    folder = Path(_FOLDER.name) / str(count)
    return folder if folder.exists() else draw_faces(folder, count=count, size=64)


def whole(count: int) -> float:
    folder = drawn(count)
    return timed(lambda: ingest_folder(folder), clock=time.process_time)[0]


def timed(action, *, clock=time.perf_counter):
    start = clock()
    result = action()
    return clock() - start, result


if __name__ == "__main__":
    main()
