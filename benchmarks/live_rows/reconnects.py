"""A camera that is gone and back 200 times: threads, descriptors and memory.

The server of another process closes its port again and again; the reader is that of `edgeemo live`.
Goals: as many threads and descriptors as before, and 2 MB more at most.
"""

from __future__ import annotations

import argparse
import threading
import time
from pathlib import Path

from benchmarks.live_rows.outage import KINDS, start_server
from edgeemo.live.reader import FrameReader
from edgeemo.live.sources.choose import choose_source
from edgeemo.live.sources.settings import SourceSettings

_PAGE_MB = 4096 / 2**20


def main(arguments):
    """Lose and find the camera; print what is left."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--warm-up", type=int, default=10)
    parser.add_argument("--kind", choices=KINDS, default="mjpeg")
    given = parser.parse_args(arguments)
    with start_server(given.kind) as (url, tell):
        source = choose_source(url, SourceSettings())
        with FrameReader(source) as reader:
            for _ in range(given.warm_up):
                lose(reader, tell)
            before = look()
            for _ in range(given.rounds):
                lose(reader, tell)
            after = look()
    threads, files, memory = (now - then for now, then in zip(after, before, strict=True))
    print(
        f"{given.kind}, {given.rounds} x gone and back: {threads:+d} threads, "
        f"{files:+d} descriptors, {memory:+.2f} MB"
    )
    return 0 if threads == files == 0 and memory <= 2 else 1


def lose(reader, tell):
    """Take frames, lose the camera, and take frames again."""
    take(reader, 3)
    tell("stop")
    while "lost" not in [event.kind for event in reader.take_events()]:
        reader.take(0.05)
    tell("start")
    take(reader, 1)


def take(reader, count):
    """Take so many frames, and look at them."""
    ends = time.monotonic() + 20
    while count:
        if (frame := reader.take(0.5)) is not None:
            frame.pixels.decode()
            count -= 1
        if time.monotonic() > ends:
            raise SystemExit("no frame for 20 s")


def look():
    """Return the threads, the descriptors and the resident memory, in MB, of this process."""
    files = len(list(Path("/proc/self/fd").iterdir()))
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return threading.active_count(), files, pages * _PAGE_MB
