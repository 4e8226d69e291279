"""A function applied to many files on every core, in order. Standard library only."""

from __future__ import annotations

import os
import warnings
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence
    from concurrent.futures import Future

    from edgeemo.utils.progress import Progress

BATCH = 32
"""Files per task handed to a thread."""

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def map_in_threads(
    items: Iterable[_Item],
    work: Callable[[Sequence[_Item]], Sequence[_Result]],
    *,
    progress: Progress,
) -> list[_Result]:
    """Apply a function to batches of items in several threads.

    Args:
        items: The items.
        work: As of `iterate_in_threads`.
        progress: Receives the progress.

    Returns:
        A result per item, in the same order.
    """
    results: list[_Result] = []
    with closing(_iterate_batches(items, work, threads=None, size=BATCH)) as batches:
        for batch in batches:
            results += batch
            progress.advance(len(batch))
    return results


def iterate_in_threads(
    items: Iterable[_Item],
    work: Callable[[Sequence[_Item]], Sequence[_Result]],
    *,
    workers: int | None = None,
    batch_size: int = BATCH,
) -> Generator[_Result]:
    """Yield a result per item, in order, a few batches ahead of the caller.

    Args:
        items: The items, taken in this thread.
        work: Function that returns a result for each of some items. It runs in several threads at
            once; its warnings are dropped.
        workers: Number of threads; None for one per core, 8 at most.
        batch_size: Number of items that the function gets at a time.
    """
    with closing(_iterate_batches(items, work, threads=workers, size=batch_size)) as batches:
        for batch in batches:
            yield from batch


def _iterate_batches(
    items: Iterable[_Item],
    work: Callable[[Sequence[_Item]], Sequence[_Result]],
    *,
    threads: int | None,
    size: int,
) -> Generator[Sequence[_Result]]:
    threads = threads or min(os.cpu_count() or 1, 8)
    waiting: deque[Future[Sequence[_Result]]] = deque()
    left = iter(items)
    pool = ThreadPoolExecutor(max_workers=threads)
    try:
        with warnings.catch_warnings():
            # Pillow warns of odd metadata, which the verdict covers.
            warnings.simplefilter("ignore")
            while batch := list(islice(left, size)):
                waiting.append(pool.submit(work, batch))
                if len(waiting) > 2 * threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
