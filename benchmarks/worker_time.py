"""What the workers do while a folder is answered; `benchmarks/throughput.py` starts it.

    python benchmarks/worker_time.py MODEL FOLDER WORKERS

Prints a JSON list: processor milliseconds per image, of all threads together; and the share of
its time that a worker neither ran nor was ready to run: what waiting for Python's global lock or
for work costs, whoever else uses the machine. From the kernel's accounts of each thread
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
"""Images at the beginning, while workers are hired, and at the end that do not count."""


def seconds(threads):
    """For each thread, seconds that it ran, and that it was ready to."""
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
    everyone = threading.enumerate()
    crew = [thread for thread in everyone if thread.name == "worker"] or everyone
    begin, processor = time.perf_counter(), time.process_time()
    before = seconds(crew)
    count = len(images) - 2 * EDGE
    for _ in range(count):
        next(stream)
    wall, processor = time.perf_counter() - begin, time.process_time() - processor
    after = seconds(crew)
    used = sum(sum(now) - sum(then) for now, then in zip(after, before, strict=True))
    print(json.dumps([processor / count * 1000, max(0.0, 1 - used / (wall * len(crew)))]))
    stream.close()


if __name__ == "__main__":
    main()
