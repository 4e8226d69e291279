"""Images answered by several threads, in the order in which they came.

Imported when a second image turns up, so that a single one does not pay for it. Engines and
Pillow's decoding and resizing let go of Python's global lock, so threads are enough.

Three kinds of thread: a feeder takes the images one by one, so that answers are given while it
waits for the next; workers answer them, each with a classifier of its own; the caller's thread
hands the answers on and hires a worker when images queue up.
"""

from __future__ import annotations

from queue import Empty, SimpleQueue
from threading import Event, Semaphore, Thread
from typing import TYPE_CHECKING

from edgeemo.runtime.stream import answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeemo.imaging.decode import Source
    from edgeemo.runtime.classifier import Classifier
    from edgeemo.runtime.stream import Answer

_AHEAD = 4
"""Images that may be under way per worker: while one large image is answered, the others'
workers go on with those behind it."""


def parallel_answers(
    classifier: Classifier, sources: Iterator[Source], *, workers: int
) -> Iterator[Answer]:
    """What `edgeemo.runtime.stream.answers` gives, from `workers` threads.

    Args:
        classifier: Answers in one of the threads; its twins in the others.
        sources: Taken one by one in a thread of its own, at most `_AHEAD` x `workers` ahead.
        workers: How many threads, at most; at least 1.

    Raises:
        BaseException: Whatever `sources` or a worker raised, in its turn.
    """
    line = _Line(sources, length=_AHEAD * workers)
    crew: list[Thread] = []
    try:
        while task := line.next():
            while len(crew) < min(workers, line.under_way()) and not task.finished.is_set():
                crew.append(_hire(classifier if not crew else classifier.twin(), line.waiting))
            yield task.result()
            line.leave()
    finally:
        line.close(len(crew))
        for worker in crew:
            worker.join()


class _Task:
    """One image, and what came of it once `finished` is set."""

    def __init__(self, source: Source) -> None:
        self.finished = Event()
        self._source = source
        self._outcome: Answer | BaseException

    def run(self, classifier: Classifier) -> None:
        """Answer it, in a worker."""
        try:
            self._outcome = answer(classifier, self._source)
        except BaseException as failure:  # raised again in the caller's thread
            self._outcome = failure
        self.finished.set()

    def result(self) -> Answer:
        """Wait for the answer; what went wrong in the worker is raised here."""
        self.finished.wait()
        if isinstance(self._outcome, BaseException):
            raise self._outcome
        return self._outcome


class _Line:
    """The images under way, in order, fed by a thread of its own.

    Args:
        sources: Where they come from.
        length: How many may be under way.
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
        """The next image in order, or None after the last."""
        task = self._in_order.get()
        if task is None and self._failure is not None:
            raise self._failure
        return task

    def under_way(self) -> int:
        """How many images have come and not left."""
        return self._fed - self._left

    def leave(self) -> None:
        """Make room: the image in front has been answered."""
        self._left += 1
        self._room.release()

    def close(self, workers: int) -> None:
        """Let nobody begin anything new."""
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


def _hire(classifier: Classifier, waiting: SimpleQueue[_Task | None]) -> Thread:
    """A worker that answers until it is handed None."""

    def work() -> None:
        while task := waiting.get():
            task.run(classifier)

    worker = Thread(target=work, name="worker", daemon=True)
    worker.start()
    return worker
