"""What the ingest costs: on FER2013, and how that grows.

    python benchmarks/ingest.py --data DIR

DIR holds ``fer2013/``; without it that part is left out. Three tables: the whole ingest of FER2013
(hashing and duplicate search included; the promise is 60 s on two cores), the search for
near-duplicates over up to 200,000 hashes of which one in ten has a near-duplicate, and the whole
ingest of drawn pictures in growing numbers. These two in processor seconds of all threads together,
which a busy machine disturbs less; "growth" is the exponent from the first row: 1 is linear, 2
quadratic.
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import resource
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.dataset import draw_faces, ingest
from edgeemo.dataset.near import group_similar

if TYPE_CHECKING:
    from collections.abc import Callable

PROMISE_S = 60
HASHES = (12_500, 25_000, 50_000, 100_000, 200_000)
DRAWN = (250, 500, 1000, 2000, 4000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("EDGEEMO_DATA"))
    data = parser.parse_args().data
    packages = ("numpy", "pillow", "imagehash", "faiss-cpu")
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(", ".join(f"{name} {version(name)}" for name in packages))
    ingest(drawn(8))  # import everything once
    if data and (data / "fer2013").is_dir():
        fer2013(data / "fer2013")
    growth("near-duplicate search, hashes", HASHES, search)
    growth("whole ingest, drawn pictures of 64x64", DRAWN, whole)


def fer2013(folder: Path) -> None:
    seconds, summary = timed(lambda: ingest(folder).summary)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\n{'FER2013, files':40}{'seconds':>10}{'ms each':>10}{'peak MB':>10}{'promise':>10}")
    each_ms = seconds / summary.found * 1000
    print(f"{summary.found:<40}{seconds:10.1f}{each_ms:10.2f}{peak_mb:10.0f}{PROMISE_S:>8} s")
    print(f"set aside: {summary.rejected}, leaks: {summary.leaks}")


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
    return timed(lambda: ingest(folder), clock=time.process_time)[0]


def timed(action, *, clock=time.perf_counter):
    start = clock()
    result = action()
    return clock() - start, result


if __name__ == "__main__":
    main()
