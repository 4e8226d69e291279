"""Predictions in several threads, in the order of the images.

Imported when a second image turns up, so that a single one does not pay for it. Engines and
Pillow's decoding and resizing release Python's global lock, so threads are enough.

An image that takes longer than `LIMIT_S` is an error, and its thread is left behind: a decoder that
hangs cannot be stopped, and neither can a read from a drive that no longer answers.

Three kinds of thread: a feeder takes the images one by one, so that results come while it waits
for the next image; workers predict; the caller's thread passes the results on and starts a worker
when images queue up.
"""

from __future__ import annotations

import time
from queue import Empty, SimpleQueue
from threading import Event, Semaphore, Thread
from typing import TYPE_CHECKING

from edgeemo.imaging.decode import source_name
from edgeemo.runtime.prediction import STDIN, ImageResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edgeemo.imaging.decode import Source

    Predict = Callable[[Source], ImageResult]

LIMIT_S = 60.0
"""Longest time for one image, in seconds: thirty times what the limits of images allow."""

_SOON = 0.1
"""Seconds to wait at the end for threads, one of which is stuck."""

_AHEAD = 4
"""Number of images in progress per worker: during one large image the other workers continue with
those behind it."""


def predict_in_parallel(
    predict: Predict, sources: Iterator[Source], *, workers: int
) -> Iterator[ImageResult]:
    """Predict as `edgeemo.runtime.stream.predict_images` does, in several threads.

    Args:
        predict: Predicts one image, in any of the threads.
        sources: Taken one by one in a thread of its own, at most `_AHEAD` x `workers` ahead.
        workers: Largest number of threads; at least 1.

    Raises:
        BaseException: Whatever `sources` or a worker raised, in its turn.
    """
    queue = _Queue(sources, length=_AHEAD * workers)
    threads: list[Thread] = []
    stuck = 0
    try:
        while task := queue.next():
            while (
                len(threads) < min(workers, queue.in_progress()) + stuck
                and not task.finished.is_set()
            ):
                threads.append(_start_worker(predict, queue.waiting))
            result = task.result()
            stuck += not task.finished.is_set()
            yield result
            queue.leave()
    finally:
        queue.close(len(threads))
        for thread in threads:
            thread.join(_SOON if stuck else None)


class _Task:
    """One image, and its outcome once `finished` is set."""

    def __init__(self, source: Source) -> None:
        self.finished = Event()
        self._source = source
        self._begun: float | None = None
        self._outcome: ImageResult | BaseException

    def run(self, predict: Predict) -> None:
        """Predict it, in a worker."""
        self._begun = time.monotonic()
        try:
            self._outcome = predict(self._source)
        except BaseException as failure:  # raised again in the caller's thread
            self._outcome = failure
        self.finished.set()

    def result(self) -> ImageResult:
        """Wait for the result, `LIMIT_S` at most; raise here what the worker raised."""
        left: float | None = LIMIT_S
        while not self.finished.wait(left):
            left = LIMIT_S
            if self._begun is not None:
                left += self._begun - time.monotonic()
                if left <= 0:
                    return describe_stuck(self._source)
        if isinstance(self._outcome, BaseException):
            raise self._outcome
        return self._outcome


class _Queue:
    """The images in progress, in order, fed by a thread of its own.

    Args:
        sources: The images.
        length: Largest number of images in progress.
    """

    def __init__(self, sources: Iterator[Source], *, length: int) -> None:
        self.waiting: SimpleQueue[_Task | None] = SimpleQueue()
        self._in_order: SimpleQueue[_Task | None] = SimpleQueue()
        self._room = Semaphore(length)
        self._fed = self._left = 0
        self._closed = False
        self._failure: BaseException | None = None
        # A daemon, since it may be waiting for standard input when everything else is done.
        Thread(target=self._feed, args=(sources,), name="feeder", daemon=True).start()

    def next(self) -> _Task | None:
        """Return the next image in order, or None after the last."""
        task = self._in_order.get()
        if task is None and self._failure is not None:
            raise self._failure
        return task

    def in_progress(self) -> int:
        """Return the number of images that have come and not left."""
        return self._fed - self._left

    def leave(self) -> None:
        """Make room: the image in front is done."""
        self._left += 1
        self._room.release()

    def close(self, workers: int) -> None:
        """Drop the waiting images and let the workers end."""
        self._closed = True
        self._room.release()
        try:
            while True:
                self.waiting.get_nowait()
        except Empty:
            for _ in range(workers):
                self.waiting.put(None)

    def _feed(self, sources: Iterator[Source]) -> None:
        try:
            while self._room.acquire() and not self._closed:
                task = _Task(next(sources))
                self._fed += 1
                self.waiting.put(task)
                self._in_order.put(task)
        except StopIteration:
            pass
        except BaseException as failure:  # raised again in the caller's thread
            self._failure = failure
        self._in_order.put(None)


def describe_stuck(source: Source) -> ImageResult:
    """Return the result of an image that took longer than `LIMIT_S`."""
    name = STDIN if type(source) is bytes else source_name(source)
    error = f"{name}: it took longer than {LIMIT_S:g} s to read and predict"
    return ImageResult(source=name, predictions=(), error=error, ms=LIMIT_S * 1000)


def _start_worker(predict: Predict, waiting: SimpleQueue[_Task | None]) -> Thread:
    """Start a worker that predicts until it gets None."""

    def work() -> None:
        while task := waiting.get():
            task.run(predict)

    worker = Thread(target=work, name="worker", daemon=True)
    worker.start()
    return worker
