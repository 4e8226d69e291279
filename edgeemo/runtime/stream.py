"""Predictions for many images, one result each, in constant memory."""

from __future__ import annotations

from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from edgeemo.utils.system import usable_cores

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from edgeemo.imaging.decode import Color, Source
    from edgeemo.runtime.classifier import Classifier
    from edgeemo.runtime.prediction import ImageResult


def predict_images(
    classifier: Classifier,
    sources: Iterable[Source],
    *,
    workers: int = 1,
    color: Color | None = None,
) -> Generator[ImageResult]:
    """Predict images in their order; one that cannot be read does not stop the rest.

    Memory does not grow with the number of images. Closing the generator ends its threads.

    Args:
        classifier: The model, which other threads may use at the same time.
        sources: The images. With more than one worker they are taken in a thread of their own, a
            few ahead of the results, so `sources` may wait for its next as long as it likes.
        workers: Number of threads that predict; the first image is done before any is started.
        color: Order of the channels of arrays; see `Classifier.predict`.
    """
    predict = partial(classifier.predict_result, color=color)
    waiting = iter(sources)
    for source in waiting:
        yield predict(source)
        if workers > 1:
            break
    for source in waiting:  # there is a second image, and more than one worker
        from edgeemo.runtime.parallel import predict_in_parallel

        yield from predict_in_parallel(predict, chain([source], waiting), workers=workers)


def choose_worker_count(threads: int) -> int:
    """Return the number of workers that occupy the cores of this process, and no more.

    Args:
        threads: Number of threads per prediction.
    """
    return max(1, usable_cores() // threads)
