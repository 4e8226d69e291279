"""edgeemo beside other programs' loops, on the same streams: age of a prediction.

All predict with the same model, ten times a second, as a Raspberry Pi may; the streams send 30
frames of 640x480 a second. OpenCV: `cap.read()`, predict, repeat; once as tutorials begin, once
with CAP_PROP_BUFFERSIZE 1, which they recommend against the delay. Ultralytics, where it is
installed: the frames of its `LoadStreams`, which hands out the newest one.
"""

from __future__ import annotations

import argparse
import statistics
import time
from contextlib import closing
from functools import partial
from importlib.util import find_spec

from benchmarks.live_rows.age import measure_ages
from benchmarks.live_streams import KINDS, serve
from edgeemo import Classifier
from tests.live.servers import tell_moment
from tests.live.videos import BITS, read_code


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--predictions", type=int, default=200)
    parser.add_argument("--hold", type=float, default=10.0, help="predictions per second")
    given = parser.parse_args(arguments)
    print("| stream | program | age of the first ten | of the last ten |\n|---|---|---|---|")
    for kind in KINDS:
        frames = int(given.predictions * 30 / given.hold)
        with serve(kind) as url:
            _print(kind, "edgeemo", measure_ages(url, frames=frames, hold=given.hold)[0])
        for program, open_frames in PROGRAMS.items():
            if program == "ultralytics" and not find_spec(program):
                continue
            with serve(kind) as url, closing(open_frames(url)) as frames:
                _print(kind, program, measure_loop(frames, given))
    return 0


def measure_loop(frames, given):
    """Return the ages, in milliseconds, of the predictions of a loop over BGR frames."""
    import cv2

    classifier, ages = Classifier.load("happy-sad"), []
    while len(ages) < given.predictions:
        begun = time.monotonic()
        frame = next(frames)
        classifier.predict_all(frame, color="bgr")
        moment = tell_moment()
        code = read_code(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY))
        ages.append((moment - code) % (1 << BITS))
        time.sleep(max(0.0, 1 / given.hold - (time.monotonic() - begun)))
    return ages


def read_opencv(url, *, small_buffer=False):
    """Yield the frames of OpenCV, one after the other."""
    import cv2

    capture = cv2.VideoCapture(url)
    if small_buffer:
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    try:
        while True:
            ok, frame = capture.read()
            if not ok:
                raise SystemExit(f"OpenCV cannot read {url}")
            yield frame
    finally:
        capture.release()


def read_ultralytics(url):
    """Yield the newest frames of ultralytics' loader."""
    from ultralytics.data.loaders import LoadStreams

    loader = LoadStreams(url)
    try:
        for _, images, _ in loader:
            yield images[0]
    finally:
        loader.close()


PROGRAMS = {
    "OpenCV": read_opencv,
    "OpenCV, BUFFERSIZE 1": partial(read_opencv, small_buffer=True),
    "ultralytics": read_ultralytics,
}


def _print(kind, program, ages):
    first, last = statistics.median(ages[:10]), statistics.median(ages[-10:])
    print(f"| {kind} | {program} | {first:,.0f} ms | {last:,.0f} ms |", flush=True)
