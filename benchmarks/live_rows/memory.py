"""Memory over many frames: its slope after the first 10,000, and its peak.

`edgeemo live` reads small images of drawn faces, all of them and as fast as it can, and prints JSON
lines. Goals: 0.5 MB per 100,000 frames at most; a peak of 130 MB at most.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
from itertools import count
from pathlib import Path

_WARM_UP, _STEP = 10_000, 5_000
_PAGE_MB = 4096 / 2**20


def main(arguments):
    """Run; print the slope and the peak."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--size", default="160x120", help="of the images")
    parser.add_argument("--no-faces", action="store_true", help="predict the images whole: faster")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.serve:
        return run(given)
    command = [sys.executable, "-m", "benchmarks.live", "memory", "--serve", *arguments]
    sizes = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for number, line in enumerate(process.stdout, start=1):
            if number == 1 or number % _STEP == 0:
                assert "faces" in json.loads(line), line
                sizes.append((number, read_memory(process.pid)))
                print(f"{number:9,} frames: {sizes[-1][1]:.1f} MB", file=sys.stderr)
            if number == given.frames:
                peak = read_peak(process.pid)
                process.kill()
                break
    late = [size for size in sizes if size[0] >= _WARM_UP]
    slope = fit_slope(late) * 100_000
    faces = "whole images" if given.no_faces else "with faces"
    print(
        f"{given.frames:,} frames of {given.size}, {faces}: {slope:+.2f} MB per 100,000 frames "
        f"after the first {_WARM_UP:,}; peak {peak:.0f} MB"
    )
    return 0 if slope <= 0.5 and peak <= 130 else 1


def run(given):
    """Run `edgeemo live` with a source of images that are encoded already."""
    from edgeemo.live.sources import choose

    source = EncodedFaces(tuple(map(int, given.size.split("x"))))
    choose.choose_source = lambda *_: source
    from edgeemo.__main__ import main as run_edgeemo

    words = ["live", "-", "--json", *(["--no-faces"] if given.no_faces else [])]
    sys.argv = ["edgeemo", *words]
    return run_edgeemo()


class EncodedFaces:
    """A source of drawn faces as JPEG files, every one of which is taken."""

    name, is_live, is_device, can_reopen = "faces", False, False, False

    def __init__(self, size):
        from edgeemo.live.sources.drawn import DrawnFaces
        from edgeemo.live.sources.settings import SourceSettings

        stream, self._files = DrawnFaces(SourceSettings(size=size)).open(), []
        for number in range(320):  # 32 s, in which both people do all that they do
            file = io.BytesIO()
            stream.draw(number / 10).save(file, "JPEG")
            self._files.append(file.getvalue())
        self._numbers = count()

    def open(self):
        return self

    def read(self):
        from edgeemo.live.frame import Frame
        from edgeemo.live.pixels import JpegPixels

        number = next(self._numbers)
        pixels = JpegPixels(self._files[number % len(self._files)])
        return Frame(number=number, time_s=number / 10, pixels=pixels)

    def close(self):
        pass


def read_memory(pid):
    """Return the resident memory of a process, in MB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_MB


def read_peak(pid):
    """Return the peak of the resident memory of a process, in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def fit_slope(points):
    """Return the slope of the line through points, by least squares."""
    mean_x, mean_y = (sum(column) / len(points) for column in zip(*points, strict=True))
    over = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / over if over else 0.0
