"""Images per second, and the energy of each where the board tells it."""

from __future__ import annotations

import time
from contextlib import closing
from itertools import cycle
from typing import TYPE_CHECKING

from edgeemo.bench.energy import find_meter
from edgeemo.bench.protocol import Rate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeemo.bench.protocol import RoundRequest
    from edgeemo.imaging.decode import Source
    from edgeemo.runtime.classifier import Classifier

_AHEAD = 2
"""Number of images per worker before the counting begins."""


def measure_rate(classifier: Classifier, request: RoundRequest, image: bytes) -> Rate | None:
    """Return the rate with the request's number of workers; None if it is not requested.

    Args:
        classifier: The model.
        request: The request.
        image: The bytes of the image to predict where the request names none.
    """
    if not request.stream_seconds:
        return None
    from edgeemo.runtime.stream import predict_images

    meter = find_meter()
    sources: Iterator[Source] = cycle(request.images or (image,))
    begin = _AHEAD * request.workers  # by then every worker is busy
    start = 0.0
    with closing(predict_images(classifier, sources, workers=request.workers)) as stream:
        for number, _ in enumerate(stream):
            now = time.perf_counter()
            if number == begin:
                start = now
                if meter:
                    meter.start()
            elif number >= 2 * begin and now - start >= request.stream_seconds:
                joules = meter.stop() if meter else None
                count = number - begin
                return Rate(
                    images_per_second=round(count / (now - start), 3),
                    joules_per_image=None if joules is None else joules / count,
                    energy_source=meter.source if meter and joules is not None else None,
                )
    return None
