"""A server in a process of its own, and what the system tells about it."""

from __future__ import annotations

import http.client
import json
import multiprocessing
import os
import re
import struct
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

import websockets.sync.client

from edgeemo.bench.sample_photo import draw_photo

_SPAWN = multiprocessing.get_context("spawn")
TOKEN = "a-token-for-the-tests"


class Server:
    """``edgeemo serve`` on a free port; a context manager that ends it."""

    def __init__(self, *words):
        self.begun = time.monotonic()
        command = [sys.executable, "-m", "edgeemo", "serve", *words, "--port", "0"]
        self._process = subprocess.Popen(
            [*command, "--model", "happy-sad"], stderr=subprocess.PIPE, text=True
        )
        found, lines = None, []
        for line in self._process.stderr:
            lines.append(line)
            if found := re.search(r" at https?://[^/]*:(\d+)/", line):
                break
        if not found:
            sys.exit("".join(lines))
        self.port = int(found[1])
        self.url = f"http://127.0.0.1:{self.port}"
        Thread(target=self._repeat, daemon=True).start()

    def _repeat(self):
        for line in self._process.stderr:
            print(f"server: {line}", end="", file=sys.stderr)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(10)

    @property
    def pid(self):
        return self._process.pid

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def get(self, path):
        connection = self.connect()
        connection.request("GET", path)
        reply = connection.getresponse()
        content = reply.read()
        connection.close()
        return reply.status, content


class Watcher:
    """A page without a browser, in a process of its own, which no other client delays.

    It asks for frames, and notes how old they are as they are sent.
    """

    def __init__(self, server):
        self._pipe, other = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=_watch, args=(server.port, other), daemon=True)
        self._process.start()
        other.close()

    def take(self):
        """Return the ages since the last call, in ms."""
        self._pipe.send("take")
        return self._pipe.recv()

    def close(self):
        self._pipe.close()
        self._process.join()


def _watch(port, pipe):
    """Watch until the pipe is closed; what comes through it asks for the ages."""
    ages_ms = []
    for age_ms in follow_ages(port):
        ages_ms.append(age_ms)
        try:
            while pipe.poll():
                pipe.recv()
                pipe.send(ages_ms)
                ages_ms = []
        except EOFError:
            return


def follow_ages(port):
    """Yield the age of each frame as it is sent, in ms, of a page that always asks for the next."""
    last = None
    with websockets.sync.client.connect(f"ws://127.0.0.1:{port}/v1/watch") as connection:
        while True:
            connection.send("next")
            message = connection.recv(timeout=30)
            (length,) = struct.unpack("!I", message[:4])
            head = json.loads(message[4 : 4 + length])
            frame = head["frame"]
            if frame and frame["number"] != last:
                last = frame["number"]
                yield (head["now"] - frame["time"]) * 1000


def draw_photos(count):
    """Return photos of 640x480 as `edgeemo bench` draws them, like a camera's."""
    return [draw_photo(seed=seed) for seed in range(count)]


def read_memory_mb(pid):
    """Return the proportional share of memory, in MB."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Pss:\s+(\d+)", text, re.MULTILINE)[1]) / 1024


def read_resident_mb(pid):
    """Return the resident memory, in MB: it does not depend on what other processes share."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"^VmRSS:\s+(\d+)", text, re.MULTILINE)[1]) / 1024


def read_cpu_s(pid):
    """Return the processor time of a process so far, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def count_descriptors(pid):
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def quantile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
