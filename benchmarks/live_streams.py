"""Streams for the benchmarks of `edgeemo live`, served by a process of their own.

    python -m benchmarks.live_streams rtsp|mjpeg [--fps 30]    # prints its address

Each frame, 640x480, holds a drawn face, and as a bar code the moment at which it was drawn.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
from PIL import Image

from edgeemo.dataset.synthetic.cartoon import draw_face, randomize_face
from tests.live.servers import MjpegServer, RtspServer

SIZE = (640, 480)
_FACE = 340
_KINDS = {"rtsp": RtspServer, "mjpeg": MjpegServer}
KINDS = tuple(_KINDS)


@contextmanager
def serve(kind, *, fps=30.0):
    """Serve a stream in another process; the block receives its address.

    Args:
        kind: One of `KINDS`.
        fps: Frames per second.
    """
    command = [sys.executable, "-m", "benchmarks.live_streams", kind, "--fps", str(fps)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            yield server.stdout.readline().strip()
        finally:
            server.kill()


def draw_background():
    """Return a frame with a face below the bar code, (h, w, 3) uint8."""
    face = draw_face(randomize_face(np.random.default_rng(3), "happy"), _FACE)
    scene = Image.new("RGB", SIZE, (96, 104, 112))
    scene.paste(face, ((SIZE[0] - _FACE) // 2, SIZE[1] - _FACE), mask=face)
    return np.asarray(scene)


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--fps", type=float, default=30.0)
    given = parser.parse_args(arguments)
    with _KINDS[given.kind](size=SIZE, fps=given.fps) as server:
        server.background = draw_background()
        print(server.url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1:])
