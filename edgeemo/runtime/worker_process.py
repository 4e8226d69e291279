"""A worker process: a forked copy of this process that predicts the images it is sent.

Paths come to it by a pipe, each ended by NUL; each result goes back by another pipe as soon as it
is there, pickled behind its length.
"""

from __future__ import annotations

import os
import pickle
import signal
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn

from edgeemo.imaging.limits import ROOM
from edgeemo.runtime import parallel
from edgeemo.runtime.prediction import ImageResult, Prediction

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edgeemo.runtime.parallel import Predict

_READ_BYTES = 1 << 16
_LENGTH_BYTES = 4

_PIPE_BYTES = 4096
"""Paths that a pipe holds at least: the parent process never waits for a worker to read."""


class Task:
    """One image, and once there is one, its result or what was raised."""

    __slots__ = ("outcome", "path", "source")

    def __init__(self, source: str) -> None:
        self.source, self.path = source, os.fsencode(source) + b"\0"
        self.outcome: ImageResult | BaseException | None = None

    def finish(self, received: Any) -> None:
        """Set the outcome to what the worker sent."""
        if isinstance(received, BaseException):
            self.outcome = received
            return
        error, ms, found = received
        predictions = tuple(
            Prediction(label=label, score=score, scores=scores, guess=guess, face=face)
            for label, score, scores, guess, face in found
        )
        self.outcome = ImageResult(source=self.source, predictions=predictions, error=error, ms=ms)


class WorkerProcess:
    """A worker process, seen from its parent.

    Args:
        predict: Predicts one image.
        others: The other workers, whose pipes the copy closes.
        room: An open file for the locks of `edgeemo.imaging.limits.Room.share`.
        workers: Largest number of workers.

    Attributes:
        tasks: The images that it was sent and has not predicted, in order.
        results: The pipe of its results.

    Raises:
        OSError: If the system has no process or pipe left.
    """

    def __init__(
        self, predict: Predict, *, others: Iterable[WorkerProcess], room: int, workers: int
    ) -> None:
        self.tasks: deque[Task] = deque()
        self._received = bytearray()
        reading, self._paths = os.pipe()
        self.results, writing = os.pipe()
        try:
            self._pid = os.fork()
        except OSError:
            for pipe in (reading, writing, self._paths, self.results):
                os.close(pipe)
            raise
        if self._pid == 0:
            try:
                for each in (self, *others):
                    each._close_pipes()
                ROOM.share(workers, room)
                _work(predict, reading, writing)
            finally:  # whatever is raised, the copy runs nothing of the program's
                os._exit(1)
        os.close(reading)
        os.close(writing)

    def fill(self, waiting: deque[Task], depth: int, *, share: int) -> None:
        """Send images, once half of those in front of it are done.

        Args:
            waiting: The images that no worker has; those that are sent are removed.
            depth: Number of images to have in front of it.
            share: Largest number to take of those that wait.
        """
        if len(self.tasks) > depth // 2:
            return
        size = sum(len(task.path) for task in self.tasks)
        paths: list[bytes] = []
        while waiting and len(self.tasks) < depth and len(paths) < share:
            size += len(waiting[0].path)
            if size > _PIPE_BYTES and self.tasks:
                break
            self.tasks.append(waiting.popleft())
            paths.append(self.tasks[-1].path)
        if paths:
            with suppress(BrokenPipeError):  # it has ended: the end of its results tells
                os.write(self._paths, b"".join(paths))

    def receive(self) -> bool:
        """Take the results that are there; return False where it has ended."""
        data = os.read(self.results, _READ_BYTES)
        received = self._received
        received += data
        while len(received) >= (begin := _LENGTH_BYTES):
            end = begin + int.from_bytes(received[:begin], "little")
            if len(received) < end:
                break
            self.tasks.popleft().finish(pickle.loads(received[begin:end]))
            del received[:end]
        return bool(data)

    def end(self) -> None:
        """End it, whatever it does."""
        os.kill(self._pid, signal.SIGKILL)
        self._close_pipes()

    def wait(self) -> int:
        """Wait for its end; return the number of the signal that ended it, or 0."""
        _, status = os.waitpid(self._pid, 0)
        return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0

    def _close_pipes(self) -> None:
        os.close(self._paths)
        os.close(self.results)


def _work(predict: Predict, paths: int, results: int) -> NoReturn:
    """Predict until the parent process has ended or closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    rest = b""
    while received := os.read(paths, _READ_BYTES):
        *complete, rest = (rest + received).split(b"\0")
        for path in complete:
            signal.setitimer(signal.ITIMER_REAL, parallel.LIMIT_S)
            _write(results, _predict(predict, os.fsdecode(path)))
        signal.setitimer(signal.ITIMER_REAL, 0)
    os._exit(0)


def _predict(predict: Predict, source: str) -> bytes:
    """Return the pickled result as tuples, a third of the time of objects, or the exception."""
    outcome: object
    try:
        result = predict(source)
        found = [
            (each.label, each.score, each.scores, each.guess, each.face)
            for each in result.predictions
        ]
        outcome = (result.error, result.ms, found)
    except BaseException as failure:  # raised again in the parent process
        outcome = failure
    return pickle.dumps(outcome, pickle.HIGHEST_PROTOCOL)


def _write(pipe: int, content: bytes) -> None:
    left = memoryview(len(content).to_bytes(_LENGTH_BYTES, "little") + content)
    while left:
        left = left[os.write(pipe, left) :]
