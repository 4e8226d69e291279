"""edgeemo beside the OpenCV loop of the tutorials, on the same streams: age of a prediction.

Both predict with the same model, ten times a second, as a Raspberry Pi may; the streams send 30
frames of 640x480 a second. OpenCV: `cap.read()`, predict, repeat; once as tutorials begin, once
with CAP_PROP_BUFFERSIZE 1, which they recommend against the delay.
"""

from __future__ import annotations

import argparse
import statistics
import time

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
        for small in (False, True):
            with serve(kind) as url:
                ages = measure_opencv(url, given, small_buffer=small)
            _print(kind, f"OpenCV{', BUFFERSIZE 1' * small}", ages)
    return 0


def measure_opencv(url, given, *, small_buffer):
    """Return the ages, in milliseconds, of the predictions of the loop of the tutorials."""
    import cv2

    classifier, ages = Classifier.load("happy-sad"), []
    capture = cv2.VideoCapture(url)
    if small_buffer:
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    while len(ages) < given.predictions:
        begun = time.monotonic()
        ok, frame = capture.read()
        if not ok:
            raise SystemExit(f"OpenCV cannot read {url}")
        classifier.predict_all(frame, color="bgr")
        moment = tell_moment()
        code = read_code(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY))
        ages.append((moment - code) % (1 << BITS))
        time.sleep(max(0.0, 1 / given.hold - (time.monotonic() - begun)))
    capture.release()
    return ages


def _print(kind, program, ages):
    first, last = statistics.median(ages[:10]), statistics.median(ages[-10:])
    print(f"| {kind} | {program} | {first:,.0f} ms | {last:,.0f} ms |", flush=True)
