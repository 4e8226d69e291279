"""Compare ways in which threads may use one model: images per second, and memory.

    python benchmarks/threads.py MODEL... [--threads 1 2 4] [--seconds 3] [--rounds 5]

Every thread predicts the same JPEG file of a camera, over and over. "as it is": all threads share a
`Classifier`, which builds an interpreter per core as they are needed; "in turn": they share one
interpreter behind a lock; "own": each thread has loaded a `Classifier` of its own. Each run is a
process of its own, in turn; the median of the rounds counts. The predictions are compared with
those of one thread.

Before that, the processor time of an image and of the network alone, which other programs disturb
little: behind a lock no number of cores predicts more than one image per time of the network.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
from machine import CORES, describe

from edgeemo.bench import draw_photo
from edgeemo.runtime.classifier import Classifier
from edgeemo.utils.text import markdown_head, markdown_row

if TYPE_CHECKING:
    from collections.abc import Callable

WAYS = ("as it is", "in turn", "own")
COLUMNS = (
    "file", "threads", *(f"{way}: images per second" for way in WAYS),
    *(f"{way}: peak MB" for way in WAYS),
)  # fmt: skip


COSTS = ("file", "processor ms of an image", "of its network", "most images per second in turn")
_REPEATS, _BATCHES = 20, 9


class _InTurn:
    """An engine behind a lock."""

    def __init__(self, engine) -> None:
        self._engine, self._lock = engine, threading.Lock()

    def run(self, pixels):
        with self._lock:
            return self._engine.run(pixels)


def _load(model: str, way: str, threads: int) -> list[Classifier]:
    first = Classifier.load(model)
    if way == "own":
        return [first, *(Classifier.load(model) for _ in range(threads - 1))]
    if way == "in turn":
        first.engine = _InTurn(first.engine)
    return [first] * threads


def run(model: str, way: str, threads: int, seconds: float) -> tuple[float, float]:
    """Return images per second and the peak memory in MB, of this process."""
    image = draw_photo()
    classifiers = _load(model, way, threads)
    expected = classifiers[0].predict_all(image)
    counts = [0] * threads
    wrong = []
    end = time.perf_counter() + seconds

    def work(number: int) -> None:
        while time.perf_counter() < end:
            if classifiers[number].predict_all(image) != expected:
                wrong.append(number)
            counts[number] += 1

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    start = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if wrong:
        raise SystemExit(f"{model}: {len(wrong)} of {sum(counts)} predictions differ")
    rate = sum(counts) / (time.perf_counter() - start)
    return rate, _read_peak_mb()


def _read_peak_mb() -> float:
    """Return the peak memory of this process; getrusage would count that of its parent, too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024


def _run_process(model: str, way: str, threads: int, seconds: float) -> tuple[float, float]:
    command = [sys.executable, __file__, model, "--run", way, "--threads", str(threads)]
    shown = subprocess.check_output([*command, "--seconds", str(seconds)], text=True)
    rate, peak = json.loads(shown)
    return rate, peak


def print_row(model: str, threads: int, options: argparse.Namespace) -> None:
    """Print the medians of a number of threads."""
    rounds = [
        [_run_process(model, way, threads, options.seconds) for way in WAYS]
        for _ in range(options.rounds)
    ]
    cells = [model, threads]
    for measure, digits in ((0, 0), (1, 1)):
        for way in range(len(WAYS)):
            value = median(each[way][measure] for each in rounds)
            cells.append(f"{value:.{digits}f}")
    print(markdown_row(map(str, cells)), flush=True)


def print_costs(model: str) -> None:
    """Print the processor time of an image and of its network, the least of several batches."""
    classifier, image = Classifier.load(model), draw_photo()
    pixels = np.zeros(classifier.spec.input_shape, np.uint8)
    faces = max(1, len(classifier.predict_all(image)))
    whole = _measure_ms(lambda: classifier.predict_all(image))
    network = _measure_ms(lambda: classifier.engine.run(pixels)) * faces
    cells = [model, f"{whole:.2f}", f"{network:.2f}", f"{1000 / network:.0f}"]
    print(markdown_row(cells), flush=True)


def _measure_ms(call: Callable[[], object]) -> float:
    times = []
    for _ in range(_BATCHES):
        start = time.thread_time()
        for _ in range(_REPEATS):
            call()
        times.append((time.thread_time() - start) / _REPEATS)
    return min(times) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+", metavar="MODEL")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, CORES, 2 * CORES])
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--run", choices=WAYS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        threads = options.threads[0]
        print(json.dumps(run(options.models[0], options.run, threads, options.seconds)))
        return
    print(describe("numpy", "pillow", "ai-edge-litert", "onnxruntime") + "\n")
    print("\n".join(markdown_head(COSTS, words=1)))
    for model in options.models:
        print_costs(model)
    print("\n" + "\n".join(markdown_head(COLUMNS, words=1)))
    for model in options.models:
        for threads in options.threads:
            print_row(model, threads, options)


if __name__ == "__main__":
    main()
