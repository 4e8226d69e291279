"""Predictions for many images, one result each, in constant memory."""

from __future__ import annotations

from functools import partial
from itertools import chain, groupby, islice
from os import PathLike
from typing import TYPE_CHECKING, cast

from edgeemo.errors import SourceError
from edgeemo.imaging.suffixes import is_bucket
from edgeemo.utils.system import usable_cores

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from edgeemo.imaging.decode import Color, Source
    from edgeemo.runtime.classifier import Classifier
    from edgeemo.runtime.parallel import Predict
    from edgeemo.runtime.prediction import ImageResult

_FEW = 16
"""Number of images after the first that are worth a process."""


def predict_images(
    classifier: Classifier,
    sources: Iterable[Source],
    *,
    workers: int = 1,
    color: Color | None = None,
    may_fork: bool = False,
) -> Generator[ImageResult]:
    """Predict images in their order; one that cannot be read does not stop the rest.

    Memory does not grow with the number of images. Closing the generator ends its workers.

    Args:
        classifier: The model, which other threads may use at the same time.
        sources: The images; a text may be an address in a bucket, which is read ahead. With more
            than one worker they are taken in a thread of their own, a few ahead of the results, so
            `sources` may wait for its next as long as it likes.
        workers: Number of workers that predict; the first image is done before any is started.
        color: Order of the channels of arrays; see `Classifier.predict`.
        may_fork: Whether the next source is there without waiting, and the workers may be
            processes: more than a few paths are then predicted in forked ones, where this process
            has no other threads. Otherwise the workers are threads.

    Raises:
        SourceError: If an address is malformed, or its storage cannot be reached.
    """
    predict = partial(classifier.predict_result, color=color)
    for (are_remote, are_paths), group in groupby(sources, _classify):
        if are_remote:
            try:
                from edgeemo.bulk.read_ahead import read_ahead
            except ModuleNotFoundError:
                raise SourceError("a bundle reads no buckets: copy the images here") from None
            addresses = cast("Iterator[str]", group)
            images = (image for _, image in read_ahead((each, each) for each in addresses))
            yield from _predict_group(predict, images, workers, may_fork=False)
        else:
            yield from _predict_group(predict, group, workers, may_fork=may_fork and are_paths)


def _classify(source: Source) -> tuple[bool, bool]:
    """Return whether a source is an address in a bucket, and whether it is a path."""
    return is_bucket(source), isinstance(source, str | PathLike)


def _predict_group(
    predict: Predict, sources: Iterable[Source], workers: int, *, may_fork: bool
) -> Generator[ImageResult]:
    waiting = iter(sources)
    for source in waiting:
        yield predict(source)
        if workers > 1:
            break
    several = list(islice(waiting, _FEW if may_fork else 1))  # there is more than one worker
    if not several:
        return
    rest = chain(several, waiting)
    if len(several) == _FEW:
        from edgeemo.runtime.processes import can_fork, predict_in_processes

        if can_fork():
            yield from predict_in_processes(predict, cast("Iterator[str]", rest), workers=workers)
            return
    from edgeemo.runtime.parallel import predict_in_parallel

    yield from predict_in_parallel(predict, rest, workers=workers)


def choose_worker_count(threads: int) -> int:
    """Return the number of workers that occupy the cores of this process, and no more.

    Args:
        threads: Number of threads per prediction.
    """
    return max(1, usable_cores() // threads)
