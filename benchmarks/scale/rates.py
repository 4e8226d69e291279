"""Measure what the plan starts from: ``python -m benchmarks.scale.rates [--out FILE]``.

Processor time of the commands, as a difference of two folders of which one has twice the images, so
that the start of a command does not count; and of the steps that one process does for all nodes.
Processor time, because the machine is never idle. The smaller of two rounds counts.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import time
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from pyarrow import parquet

from benchmarks.frames import TELEPHONE, WEBCAM, draw_frame
from benchmarks.machine import describe, wait_for
from benchmarks.scale.broker import measure_broker
from benchmarks.scale.memory import measure_memory
from edgeemo.bulk.work import BLOCK_SIZE, cut_blocks
from edgeemo.dataset.check.inspect_work import InspectWork
from edgeemo.dataset.ingest.find import find_any_files
from edgeemo.dataset.ingest.fingerprint import compute_perceptual_hash, make_thumbnail
from edgeemo.dataset.ingest.near_duplicates import group_similar
from edgeemo.dataset.ingest.near_hashes import find_near_in_parts
from edgeemo.imaging.faces import Face
from edgeemo.model.face_request import FaceRequest
from edgeemo.runtime.classifier import Classifier
from edgeemo.runtime.predict_work import PredictWork
from edgeemo.runtime.prediction import ImageResult, Prediction

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edgeemo.bulk.work import Work
    from edgeemo.dataset.check.inspection import InspectedFile

TARGET = Path(__file__).with_name("rates.json")
SMALL = (48, 48)
FOLDERS = {"small": (SMALL, 600), "webcam": (WEBCAM, 40), "telephone": (TELEPHONE, 4)}
ROUNDS = 2
PATH = "s3://bucket/photos/2026/11/{:08d}.jpg"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=TARGET)
    parser.add_argument("--parts", default=",".join(PARTS), help="what to measure anew")
    given = parser.parse_args()
    rates = json.loads(given.out.read_text()) if given.out.exists() else {}
    rates["machine"] = describe("numpy", "pillow", "ai-edge-litert", "pyarrow")
    for part in given.parts.split(","):
        rates |= PARTS[part]()
        given.out.write_text(json.dumps(rates, indent=2) + "\n")
    print(given.out.read_text())


def measure_all_works() -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        return measure_works(Path(folder))


def measure_works(folder: Path) -> dict[str, float]:
    """Return ms and bytes per image of the work of `edgeemo.bulk`, and of `data crop`."""
    found: dict[str, float] = {}
    for name, (size, count) in FOLDERS.items():
        once = draw(folder / name, count, size)
        twice = shutil.copytree(once, folder / "twice")
        for path in sorted(once.rglob("*.jpg")):
            shutil.copy(path, twice / path.parent.name / f"copy-{path.name}")
        paths = sorted(map(str, once.rglob("*.jpg")))
        found[f"{name}_bytes"] = sum(Path(each).stat().st_size for each in paths) / count
        classifier = Classifier.load("happy-sad")
        if size == SMALL:
            classifier = Classifier.load("happy-sad", faces=FaceRequest(enabled=False))
        found |= measure_work(f"predict_{name}", PredictWork(classifier), paths)
        files = find_any_files(once).files
        found |= measure_work(f"check_{name}", InspectWork(once), files)
        if size == SMALL:  # there are enough of them for a block
            found |= measure_row("check", InspectWork(once), inspect(once)[:BLOCK_SIZE])
        if size != SMALL:
            out = folder / "out"
            words = ["data", "crop", "--force", "--out", str(out)]
            found[f"crop_{name}_ms"] = min(
                (run(words, twice) - run(words, once)) / count for _ in range(ROUNDS)
            )
            crops = [each.stat().st_size for each in out.rglob("*.png")]
            found[f"crop_{name}_bytes"] = sum(crops) / len(crops)
        shutil.rmtree(twice)
        print(json.dumps(found, indent=2), file=sys.stderr)
    return found


def measure_work(name: str, work: Work, items: Sequence[Any]) -> dict[str, float]:
    """Return processor ms of an image."""
    work.open()
    times = []
    for _ in range(ROUNDS + 1):  # the first one warms up
        start = time.process_time()
        for _ in work.run(items, workers=1):
            pass
        times.append((time.process_time() - start) / len(items) * 1e3)
    return {f"{name}_ms": min(times[1:])}


def inspect(folder: Path) -> list[InspectedFile]:
    work = InspectWork(folder)
    work.open()
    return list(work.run(find_any_files(folder).files, workers=1))


def measure_row(name: str, work: Work, results: Sequence[Any]) -> dict[str, float]:
    """Return what the process that keeps the results does for each image, and the bytes."""
    pickled = pickle.dumps(results)

    def write() -> bytes:
        stream = io.BytesIO()
        parquet.write_table(work.to_table(results), stream, compression="zstd")
        return stream.getvalue()

    return {
        f"{name}_keep_us": (clock(lambda: pickle.loads(pickled), 20) + clock(write, 20))
        / len(results),
        f"{name}_part_bytes": len(write()) / len(results),
        f"{name}_result_bytes": len(pickled) / len(results),
    }


def draw(folder: Path, count: int, size: tuple[int, int]) -> Path:
    """Draw images of two classes."""
    for number in range(count):
        path = folder / ("happy", "sad")[number % 2] / f"{number:08d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(draw_frame(number, size))
    return folder


def run(words: Sequence[str], folder: Path) -> float:
    """Return processor ms of a command, which may find something wrong with drawn images."""
    at = 1 if words[0] == "predict" else 2
    line = [*words[:at], str(folder), *words[at:]]
    process = subprocess.Popen(
        [sys.executable, "-m", "edgeemo.cli.start", *line],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    text = process.stderr.read()
    usage = wait_for(process)
    if process.returncode not in (0, 3):
        sys.exit(f"failed: edgeemo {' '.join(line)}: {text}")
    return usage.cpu_ms


def measure_hash() -> dict[str, float]:
    """Return processor µs of hash and thumbnail of an image that is decoded already."""
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)

    def work() -> None:
        compute_perceptual_hash(pixels)
        make_thumbnail(pixels)

    return {"hash_us": clock(work, 2000)}


def measure_search() -> dict[str, float]:
    """Return processor µs per hash of the search for near-duplicates, by the number of hashes."""
    sizes = (250_000, 500_000, 1_000_000, 2_000_000)
    rng = np.random.default_rng(0)
    times = []
    for size in sizes:
        hashes = rng.integers(0, 256, (size, 8), np.uint8)
        thumbnails = rng.integers(0, 256, (size, 16), np.uint8)
        times.append(
            min(clock(lambda h=hashes, t=thumbnails: group_similar(h, t), 1) for _ in range(2))
            / size
        )
    slope, fixed = np.polyfit(np.log(np.array(sizes) / 1e6), times, 1)
    return {
        **{f"search_{size // 1000}k_us": each for size, each in zip(sizes, times, strict=True)},
        "search_us": float(fixed),
        "search_us_per_ln": float(slope),
        "pair_ns": measure_pair_ns(),
    }


def measure_pair_ns() -> float:
    """Return what comparing two hashes takes that are equal in two parts."""
    count = 4000
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 2**42, count, np.uint64)  # equal in the upper 22 bits
    mask = np.uint64(2**64 - 2**42)
    took_us = clock(lambda: sum(1 for _ in find_near_in_parts(hashes, mask)), 1)
    return took_us * 1e3 / (count * (count - 1) / 2)


def measure_spread() -> dict[str, float]:
    """Return how many more pairs of real hashes are equal in two of six parts than of random ones.

    Faces are alike, and so are their hashes. FER2013 is needed in $EDGEEMO_DATA; without it the
    figure of before stays.
    """
    names = sorted(Path(os.environ.get("EDGEEMO_DATA", ""), "fer2013").rglob("*.jpg"))
    if not names:
        return {}
    hashes = [
        compute_perceptual_hash(np.asarray(Image.open(name).convert("L").resize((64, 64))))
        for name in names
    ]
    distinct = np.unique(np.frombuffer(b"".join(hashes), np.uint64))
    met = expected = 0.0
    for pair in combinations(range(6), 2):
        bits = sum((1 << (part + 1) * 64 // 6) - (1 << part * 64 // 6) for part in pair)
        _, counts = np.unique(distinct & np.uint64(bits), return_counts=True)
        met += float((counts * (counts - 1) / 2).sum())
        expected += len(distinct) * (len(distinct) - 1) / 2 / 2 ** bits.bit_count()
    return {"spread_images": len(distinct), "spread": met / expected}


def measure_driver() -> dict[str, float]:
    """Return what the driver does for each image, in µs, and the bytes that it moves."""
    work = PredictWork(Classifier.load("happy-sad"))
    paths = [PATH.format(number) for number in range(200 * BLOCK_SIZE)]
    rng = np.random.default_rng(0)
    results = [make_result(path, rng) for path in paths[:BLOCK_SIZE]]
    return {
        "cut_us": clock(lambda: sum(1 for _ in cut_blocks(paths, size=BLOCK_SIZE)), 3) / len(paths),
        "path_bytes": len(pickle.dumps(paths)) / len(paths),
        **measure_row("predict", work, results),
    }


def make_result(path: str, rng: np.random.Generator) -> ImageResult:
    """Return a result as happy-sad has it of a photo with one face."""
    scores = dict(zip(("happy", "neither", "sad"), rng.dirichlet((1, 1, 1)).round(6), strict=True))
    label = max(scores, key=scores.get)
    left, top, side = (int(each) for each in rng.integers(20, 300, 3))
    one = Prediction(
        label=label,
        score=float(scores[label]),
        guess=label,
        scores={name: float(score) for name, score in scores.items()},
        face=Face(left, top, side),
    )
    return ImageResult(source=path, ms=float(rng.gamma(4.0)), predictions=(one,))


def clock(function: Callable[[], object], times: int) -> float:
    """Return processor µs of one call."""
    start = time.process_time()
    for _ in range(times):
        function()
    return (time.process_time() - start) / times * 1e6


PARTS = {
    "works": measure_all_works,
    "hash": measure_hash,
    "search": measure_search,
    "spread": measure_spread,
    "driver": measure_driver,
    "broker": measure_broker,
    "memory": measure_memory,
}

if __name__ == "__main__":
    main()
