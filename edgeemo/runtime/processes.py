"""Predictions in worker processes, in the order of the images.

Imported where a folder has more than a few images. Python's global lock is held for half of a small
image's time, so that threads wait for each other; a forked process has a lock of its own, and
shares the memory of the loaded model.

An image that takes longer than `edgeemo.runtime.parallel.LIMIT_S` is an error: an alarm of the
system ends its worker, and another one continues. So is an image at which a worker crashes.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING

from edgeemo.runtime import parallel
from edgeemo.runtime.prediction import ImageResult
from edgeemo.runtime.worker_process import Task, WorkerProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeemo.runtime.parallel import Predict

_SPAN_MS = 40.0
"""Work that a worker has in front of it, in milliseconds, so that it never waits for the next."""

_MAX_DEPTH = 64
"""Largest number of images that a worker has in front of it."""

_PAUSE_S = 0.005
"""Seconds to wait before results are read where they come fast: many cost little more than one."""

_GRACE_S = 5.0
"""Seconds after the limit by when a worker has ended, unless a drive that hangs prevents it."""


def can_fork() -> bool:
    """Return whether this process can be copied: on Linux, where it has one thread alone."""
    try:
        return sys.platform == "linux" and len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208
    except OSError:
        return False


def predict_in_processes(
    predict: Predict, sources: Iterator[str], *, workers: int
) -> Iterator[ImageResult]:
    """Predict as `edgeemo.runtime.stream.predict_images` does, in forked processes.

    Args:
        predict: Predicts one image.
        sources: Paths, taken a few ahead of the results, which wait while the next path does.
        workers: Largest number of processes; at least 1.

    Raises:
        BaseException: Whatever `sources` or a worker raised, in its turn.
    """
    pool = _Pool(predict, workers)
    try:
        while pool.fill(sources):
            pool.receive()
            yield from pool.take_finished()
    finally:
        pool.close()


class _Pool:
    """The images in progress, and the workers.

    Args:
        predict: Predicts one image.
        limit: Largest number of workers.
    """

    def __init__(self, predict: Predict, limit: int) -> None:
        self._predict, self._limit = predict, limit
        self._in_order: deque[Task] = deque()
        self._waiting: deque[Task] = deque()  # those that no worker has
        self._workers: dict[int, WorkerProcess] = {}  # by the pipe of the results
        self._poll = select.poll()
        self._room = os.memfd_create("room")
        self._depth = 1
        self._failure: BaseException | None = None

    def fill(self, sources: Iterator[str]) -> bool:
        """Hand images to the workers; return whether any is in progress.

        Raises:
            BaseException: Whatever `sources` raised, after the results before it.
        """
        self._take(sources)
        share = -(-len(self._waiting) // self._limit)
        for worker in self._workers.values():
            worker.fill(self._waiting, self._depth, share=share)
        while self._waiting and len(self._workers) < self._limit and self._start_worker():
            pass
        if self._waiting and not self._workers:  # the system has no process left
            task = self._waiting.popleft()
            task.outcome = self._predict(task.source)
        if not self._in_order and self._failure:
            raise self._failure
        return bool(self._in_order)

    def receive(self) -> None:
        """Take results; wait for them unless the first image is done."""
        if self._depth > 2:
            time.sleep(_PAUSE_S)
        is_done = self._in_order[0].outcome is not None
        ready = self._poll.poll(0 if is_done else (parallel.LIMIT_S + _GRACE_S) * 1000)
        for pipe, _ in ready:
            if not self._workers[pipe].receive():
                self._bury(pipe)
        if not ready and not is_done:
            for pipe in [pipe for pipe, worker in self._workers.items() if worker.tasks]:
                self._leave(pipe)

    def take_finished(self) -> Iterator[ImageResult]:
        """Yield the results in front.

        Raises:
            BaseException: What a worker raised.
        """
        while self._in_order and (outcome := self._in_order[0].outcome) is not None:
            self._in_order.popleft()
            if isinstance(outcome, BaseException):
                raise outcome
            self._depth = max(1, min(_MAX_DEPTH, int(_SPAN_MS / max(outcome.ms, 0.1))))
            yield outcome

    def close(self) -> None:
        """End the workers, whatever they do."""
        for worker in self._workers.values():
            worker.end()
        for worker in self._workers.values():
            worker.wait()
        os.close(self._room)

    def _take(self, sources: Iterator[str]) -> None:
        """Take images, up to twice as many as the workers have in front of them."""
        room = 2 * self._depth * self._limit - len(self._in_order)
        if self._failure or room <= 0:
            return
        try:
            for source in islice(sources, room):
                task = Task(source)
                self._in_order.append(task)
                self._waiting.append(task)
        except Exception as failure:  # raised again after the results before it
            self._failure = failure

    def _start_worker(self) -> bool:
        """Start another worker and give it images; return whether the system has one left."""
        try:
            worker = WorkerProcess(
                self._predict, others=self._workers.values(), room=self._room, workers=self._limit
            )
        except OSError:
            return False
        self._workers[worker.results] = worker
        self._poll.register(worker.results, select.POLLIN)
        worker.fill(self._waiting, self._depth, share=self._depth)
        return True

    def _bury(self, pipe: int) -> None:
        """Account for a worker that has ended: the image that it had begun is an error."""
        worker = self._forget(pipe)
        number = worker.wait()
        if worker.tasks:
            task = worker.tasks.popleft()
            task.outcome = _describe_end(task.source, number)
        self._waiting.extendleft(reversed(worker.tasks))

    def _leave(self, pipe: int) -> None:
        """Leave a worker behind that not even the alarm ends."""
        worker = self._forget(pipe)
        task = worker.tasks.popleft()
        task.outcome = parallel.describe_stuck(task.source)
        self._waiting.extendleft(reversed(worker.tasks))

    def _forget(self, pipe: int) -> WorkerProcess:
        worker = self._workers.pop(pipe)
        self._poll.unregister(pipe)
        worker.end()
        return worker


def _describe_end(source: str, number: int) -> ImageResult:
    """Return the result of an image whose worker a signal has ended."""
    if number == signal.SIGALRM:
        return parallel.describe_stuck(source)
    how = f"was ended by {signal.Signals(number).name}" if number else "has ended"
    return ImageResult(source=source, error=f"{source}: its worker process {how}", ms=0.0)
