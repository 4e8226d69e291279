"""Age of a prediction: from the drawing of a frame to its label, for RTSP and MJPEG.

    python -m benchmarks.live age
    python -m benchmarks.live age --frames 10000 --hold 10 --kinds rtsp    # its growth

A server in another process draws the moment into each frame of 640x480, 30 a second. The age is
read when the first output receives the observation.
"""

from __future__ import annotations

import argparse
import statistics
import time

from benchmarks.live_streams import KINDS, serve
from edgeemo import Classifier
from edgeemo.live.controls import Controls
from edgeemo.live.loop import run_loop
from edgeemo.live.pipeline import Pipeline, PipelineSettings
from edgeemo.live.reader import FrameReader
from edgeemo.live.sources.choose import choose_source
from edgeemo.live.sources.settings import SourceSettings
from tests.live.servers import tell_moment
from tests.live.videos import BITS, read_code

P50_MS, P99_MS, GROWTH_MS = 60, 120, 1.0
"""Goals; the growth per 1,000 frames."""

_BEGIN = 30
"""Observations that are left out: the model and the encoder have not been used before."""


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=900, help="frames of the source")
    parser.add_argument("--hold", type=float, help="predictions per second; default: as they come")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    given = parser.parse_args(arguments)
    fine = True
    for kind in given.kinds:
        with serve(kind) as url:
            ages, frames = measure_ages(url, frames=given.frames, hold=given.hold)
        p50, p99 = statistics.median(ages), statistics.quantiles(ages, n=100)[98]
        print(
            f"{kind}: {len(ages)} predictions of {frames} frames, age p50 {p50:.0f} ms, "
            f"p99 {p99:.0f} ms"
        )
        if given.hold:
            part = max(1, len(ages) // 10)
            growth = statistics.median(ages[-part:]) - statistics.median(ages[:part])
            growth *= 1000 / frames
            print(f"{kind}: the age grows by {growth:+.2f} ms per 1,000 frames")
            fine &= growth <= GROWTH_MS
        else:
            fine &= p50 <= P50_MS and p99 <= P99_MS
    return 0 if fine else 1


def measure_ages(url, *, frames, hold):
    """Run the loop of `edgeemo live` until so many frames of the source have passed.

    Returns:
        The ages in milliseconds, and the number of frames of the source.
    """
    controls, output = Controls(), _Ages(frames, 1 / hold if hold else 0.0)
    output.controls = controls
    pipeline = Pipeline(Classifier.load("happy-sad"), PipelineSettings())
    with FrameReader(choose_source(url, SourceSettings())) as reader:
        run_loop(reader, pipeline, output, controls=controls)
    if not output.with_face:
        raise SystemExit("no face was found in any frame")
    return output.ages[_BEGIN:], output.frames


class _Ages:
    """An output that notes the age of each observation, and takes its time."""

    name = "ages"

    def __init__(self, frames, pause_s):
        self._limit, self._pause_s = frames, pause_s
        self.ages, self.frames, self.with_face = [], 0, 0

    def add_observation(self, seen):
        moment, begun = tell_moment(), time.monotonic()
        self.ages.append((moment - read_code(seen.frame.pixels.luma())) % (1 << BITS))
        self.frames, self.with_face = seen.frame.number + 1, self.with_face + bool(seen.faces)
        self.controls.stop = self.frames >= self._limit
        time.sleep(max(0.0, self._pause_s - (time.monotonic() - begun)))

    def add_event(self, event):
        pass

    def close(self):
        pass
