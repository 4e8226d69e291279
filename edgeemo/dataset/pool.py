"""A function applied to many files on every core, in order. Standard library only."""

from __future__ import annotations

import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edgeemo.utils.progress import Progress

_BATCH = 32  # files per task handed to a thread

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def map_in_threads(
    items: Sequence[_Item],
    work: Callable[[Sequence[_Item]], Sequence[_Result]],
    *,
    progress: Progress,
) -> list[_Result]:
    """Apply a function to batches of items in several threads.

    Args:
        items: The items.
        work: Function that returns a result for each of some items. It runs in several threads at
            once; its warnings are dropped.
        progress: Receives the progress.

    Returns:
        A result per item, in the same order.
    """
    batches = [items[start : start + _BATCH] for start in range(0, len(items), _BATCH)]
    results: list[_Result] = []
    pool = ThreadPoolExecutor(max_workers=min(os.cpu_count() or 1, 8))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # Pillow warns of odd metadata, which the verdict covers
            for batch in pool.map(work, batches):
                results.extend(batch)
                progress.advance(len(batch))
    finally:
        pool.shutdown(cancel_futures=True)
    return results
