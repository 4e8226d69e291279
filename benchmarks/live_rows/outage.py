"""Lost cameras: time until it is noticed, and until the first prediction after it is back.

`edgeemo live` reads a server that stalls, or closes its port, for some seconds; four cases run at
the same time. RTSP sends a key frame a second. Goals: noticed within 5 s; predicted within 3 s
where it was away for up to a minute, else within 12 s.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, product

KINDS = ("mjpeg", "rtsp")
_ENDS = {"stalls": ("stall", "go"), "is gone": ("stop", "start")}
_FPS = 30


@dataclass(frozen=True)
class Outage:
    """A case and what was measured, in seconds."""

    kind: str
    how: str
    away_s: float
    noticed_s: float
    back_s: float

    @property
    def is_good(self):
        """Return whether it is within the goals."""
        return self.noticed_s <= 5 and self.back_s <= (3 if self.away_s <= 60 else 12)


def main(arguments):
    """Run all cases; print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", choices=KINDS, help=argparse.SUPPRESS)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--away", nargs="+", type=float, default=[5, 21, 50, 90], help="seconds")
    given = parser.parse_args(arguments)
    if given.serve:
        return serve(given.serve)
    cases = list(product(given.kinds, _ENDS))
    with ThreadPoolExecutor(len(cases)) as pool:
        found = pool.map(lambda case: [measure(*case, away_s) for away_s in given.away], cases)
    found = list(chain.from_iterable(found))
    for each in found:
        print(
            f"{each.kind:5} {each.how:7} for {each.away_s:3.0f} s: noticed after "
            f"{each.noticed_s:.1f} s, predicted {each.back_s:.1f} s after it was back"
        )
    return 0 if all(each.is_good for each in found) else 1


def measure(kind, how, away_s):
    """Run one case."""
    begin, end = _ENDS[how]
    with start_server(kind) as (url, tell), run_live(url) as (lines, errors):
        lines.wait(lambda said: len(said) >= 10)
        left = tell(begin)
        noticed = errors.wait(lambda said: any(" lost: " in line for line in said))
        time.sleep(max(0.0, left + away_s - time.monotonic()))
        count, back = len(lines.said), tell(end)
        predicted = lines.wait(lambda said: len(said) > count)
    return Outage(kind, how, away_s, noticed - left, predicted - back)


class Listener:
    """Reads a pipe in a thread, and waits for what is said."""

    def __init__(self, pipe):
        self.said, self._changed = [], threading.Condition()
        threading.Thread(target=self._read, args=(pipe,), daemon=True).start()

    def wait(self, is_said, limit_s=40):
        """Return the moment at which `is_said(lines)` became true."""
        with self._changed:
            if not self._changed.wait_for(lambda: is_said(self.said), limit_s):
                raise SystemExit(f"nothing for {limit_s} s; said last: {self.said[-3:]}")
            return time.monotonic()

    def _read(self, pipe):
        for line in pipe:
            with self._changed:
                self.said.append(line.rstrip())
                self._changed.notify_all()


@contextmanager
def start_server(kind):
    """Start a server in another process; yield its address, and what tells it a command."""
    command = [sys.executable, "-m", "benchmarks.live", "outage", "--serve", kind]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:

        def tell(word):
            print(word, file=server.stdin, flush=True)
            server.stdout.readline()
            return time.monotonic()

        try:
            yield server.stdout.readline().strip(), tell
        finally:
            server.kill()


@contextmanager
def run_live(url):
    """Run `edgeemo live`; yield the listeners of standard output and standard error."""
    command = [sys.executable, "-m", "edgeemo", "live", url, "--json", "--max-fps", "10"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Listener(process.stdout), Listener(process.stderr)
        finally:
            process.kill()


def serve(kind):
    """Serve until standard input ends; each line is a command."""
    from tests.live.servers import MjpegServer, RtspServer

    with {"mjpeg": MjpegServer, "rtsp": RtspServer}[kind](size=(320, 240), fps=_FPS) as server:
        print(server.url, flush=True)
        for line in sys.stdin:
            word = line.strip()
            if word in ("stop", "start"):
                getattr(server, word)()
            else:
                server.is_stalled = word == "stall"
            print("done", flush=True)
    return 0
