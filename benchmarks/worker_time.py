"""Measure the workers' time while a folder is predicted; `benchmarks/throughput.py` starts this.

    python benchmarks/worker_time.py MODEL FOLDER WORKERS

Prints a JSON list: processor milliseconds per image, of all threads together; and the share of
its time that a worker neither ran nor was ready to run: the wait for Python's global lock or for
work, independent of other processes. From the kernel's accounts of each thread
(/proc/self/task/*/schedstat: nanoseconds on a processor, nanoseconds ready and waiting for one).
"""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path

from edgeemo import Classifier
from edgeemo.runtime.inputs import expand
from edgeemo.runtime.stream import predict_images

EDGE = 40
"""Number of images at the beginning, while workers start, and at the end that do not count."""


def read_seconds(threads):
    """Return for each thread the seconds that it ran, and that it was ready to."""
    accounts = [
        Path(f"/proc/self/task/{thread.native_id}/schedstat").read_text(encoding="ascii").split()
        for thread in threads
    ]
    return [(int(ran) / 1e9, int(ready) / 1e9) for ran, ready, _ in accounts]


def main():
    model, folder, workers = sys.argv[1:]
    images = list(expand([folder]))
    stream = predict_images(Classifier.load(model), images, workers=int(workers))
    for _ in range(EDGE):
        next(stream)
    threads = threading.enumerate()
    pool = [thread for thread in threads if thread.name == "worker"] or threads
    begin, processor = time.perf_counter(), time.process_time()
    before = read_seconds(pool)
    count = len(images) - 2 * EDGE
    for _ in range(count):
        next(stream)
    wall, processor = time.perf_counter() - begin, time.process_time() - processor
    after = read_seconds(pool)
    used = sum(sum(now) - sum(then) for now, then in zip(after, before, strict=True))
    print(json.dumps([processor / count * 1000, max(0.0, 1 - used / (wall * len(pool)))]))
    stream.close()


if __name__ == "__main__":
    main()
