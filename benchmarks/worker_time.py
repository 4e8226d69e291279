"""Measure the workers' time while a folder is predicted; `benchmarks/throughput.py` starts this.

    python benchmarks/worker_time.py MODEL FOLDER WORKERS

Prints a JSON list: processor milliseconds per image, of the parent process and its workers
together, and of the parent process alone; and the share of its time that a worker process neither
ran nor was ready to run, because it waited for work, independent of other programs. From the
kernel's accounts of each process (/proc/*/schedstat: nanoseconds on a processor, nanoseconds ready
and waiting for one).
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from edgeemo.runtime.fast_start import start_fast

EDGE = 40
"""Number of images at the beginning, while workers start, and at the end that do not count."""


def read_seconds(processes):
    """Return for each process the seconds that it ran, and that it was ready to."""
    accounts = [
        Path(f"/proc/{process}/schedstat").read_text(encoding="ascii").split()
        for process in processes
    ]
    return [(int(ran) / 1e9, int(ready) / 1e9) for ran, ready, _ in accounts]


def main():
    model, folder, workers = sys.argv[1:]
    start_fast()  # or numpy's threads would keep the process from being forked
    from edgeemo import Classifier, FaceRequest
    from edgeemo.runtime.inputs import expand
    from edgeemo.runtime.stream import predict_images

    images = list(expand([folder]))
    classifier = Classifier.load(model, faces=FaceRequest(enabled=False))
    stream = predict_images(classifier, images, workers=int(workers), may_fork=True)
    for _ in range(EDGE):
        next(stream)
    children = Path("/proc/thread-self/children").read_text(encoding="ascii").split()
    processes = ["self", *children]
    begin = time.perf_counter()
    before = read_seconds(processes)
    count = len(images) - 2 * EDGE
    for _ in range(count):
        next(stream)
    wall = time.perf_counter() - begin
    after = read_seconds(processes)
    processors = [now[0] - then[0] for now, then in zip(after, before, strict=True)]
    pairs = list(zip(after, before, strict=True))[len(children) and 1 :]  # the workers alone
    used = sum(sum(now) - sum(then) for now, then in pairs)
    each_ms = [seconds / count * 1000 for seconds in (sum(processors), processors[0])]
    print(json.dumps([*each_ms, max(0.0, 1 - used / (wall * len(pairs)))]))
    stream.close()


if __name__ == "__main__":
    main()
