"""Many images, for `Classifier`: in several threads, or with a result for each."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from edgeemo.errors import ImageTypeError
from edgeemo.runtime.stream import choose_worker_count, predict_images

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from edgeemo.imaging.decode import Color, Source
    from edgeemo.runtime.classifier import Classifier
    from edgeemo.runtime.prediction import ImageResult, Prediction


def require_several(sources: Iterable[Source]) -> Iterable[Source]:
    """Refuse a single image, over whose characters or rows a loop would run.

    Raises:
        ImageTypeError: If it is one.
    """
    single = isinstance(sources, str | bytes | bytearray | memoryview | os.PathLike)
    if single or hasattr(sources, "read") or not hasattr(sources, "__iter__"):
        raise ImageTypeError(
            "several images are needed, such as a list of paths; predict takes one"
        )
    shape = getattr(sources, "shape", None)
    if shape is not None and len(shape) != 4:
        raise ImageTypeError(
            f"an array of several images must be (N, H, W, C), not {shape}; predict takes one image"
        )
    return sources


def predict_batch(
    classifier: Classifier,
    sources: Iterable[Source],
    *,
    color: Color | None = None,
    workers: int | None = None,
) -> list[Prediction]:
    """See `edgeemo.runtime.classifier.Classifier.predict_batch`."""
    from concurrent.futures import ThreadPoolExecutor

    def predict(source: Source) -> Prediction:
        return classifier.predict(source, color=color)

    count = _choose_workers(classifier, workers)
    images = require_several(sources)
    with ThreadPoolExecutor(count, thread_name_prefix="worker") as threads:
        return list(threads.map(predict, images))


def predict_results(
    classifier: Classifier,
    sources: Iterable[Source],
    *,
    color: Color | None = None,
    workers: int | None = None,
) -> Generator[ImageResult]:
    """See `edgeemo.runtime.classifier.Classifier.predict_results`."""
    count = _choose_workers(classifier, workers)
    return predict_images(classifier, require_several(sources), workers=count, color=color)


def _choose_workers(classifier: Classifier, workers: int | None) -> int:
    if workers is None:
        return choose_worker_count(classifier.threads)
    if workers < 1:
        raise ValueError(f"workers must be at least 1, not {workers}")
    return workers
