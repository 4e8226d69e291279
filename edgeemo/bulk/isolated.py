"""Work in a process of its own, at which an image may crash or hang without ending the rest.

A process of Ray's keeps such a child: a decoder that crashes would end a worker of Ray's, which
would then do the same block again, for ever.
"""

from __future__ import annotations

import os
import pickle
import selectors
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, BinaryIO, Generic, cast

from edgeemo.bulk.isolated_child import LIMIT_S
from edgeemo.bulk.work import Item, Result
from edgeemo.errors import EdgeEmoError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edgeemo.bulk.work import Work

_START_S = 120.0
"""Seconds that the start of a child may take, on a machine that starts many of them."""

_CODE = "from edgeemo.bulk.isolated_child import main; main()"


class IsolatedWork(Generic[Item, Result]):
    """Does blocks of items in a child process, which is replaced when it ends.

    Args:
        work: The work.
        folder: Current folder of the child, which relative paths begin from, where it exists here.
    """

    def __init__(self, work: Work[Item, Result], *, folder: str = "") -> None:
        self._work = work
        self._job = pickle.dumps((folder, work))
        self._child: _Child | None = None

    def run(self, items: Sequence[Item]) -> list[Result]:
        """Return the result of each item, in order.

        Raises:
            EdgeEmoError: As `Work.open`, or of `Work.run` itself.
        """
        results: list[Result] = []
        is_single = False
        while len(results) < len(items):
            rest = items[len(results) :]
            child = self._child = self._child or _Child(self._job)
            try:
                results += child.run(rest[:1] if is_single else rest)
            except _EndedError as ended:
                self._child = None
                results += ended.results
                if is_single:
                    results.append(self._work.fail(rest[0], ended.reason))
                is_single = not is_single  # one by one until it is clear at which one it ends
            except BaseException:
                self.close()
                raise
        return results

    def close(self) -> None:
        """End the child."""
        if self._child:
            self._child.end()
            self._child = None


class _EndedError(Exception):
    """A child that has ended.

    Attributes:
        results: Those that it had finished.
        reason: How it ended.
    """

    def __init__(self, results: list[Any], reason: str) -> None:
        super().__init__(reason)
        self.results, self.reason = results, reason


class _Child:
    """The child process, seen from its parent."""

    def __init__(self, job: bytes) -> None:
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _CODE],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
            )
        except OSError as error:
            raise EdgeEmoError(f"a worker process does not start: {error.strerror}") from None
        self._selector = selectors.DefaultSelector()
        self._selector.register(cast("BinaryIO", self._process.stdout), selectors.EVENT_READ)
        self._received = bytearray()
        try:
            self._send(job)
            for kind, value in self._receive(_START_S):
                if kind == "error":
                    raise value
                return
        except _EndedError as ended:
            raise EdgeEmoError(f"a worker process does not start: {ended.reason}") from None
        except BaseException:
            self.end()
            raise

    def run(self, items: Sequence[Any]) -> list[Any]:
        """Return the results of items.

        Raises:
            _EndedError: If it ends before the last.
            Exception: Whatever the work raises.
        """
        results: list[Any] = []
        try:
            self._send(pickle.dumps(items))
            for kind, value in self._receive(LIMIT_S):
                if kind == "error":
                    raise value
                results += value
                if len(results) == len(items):
                    break
        except _EndedError as ended:
            raise _EndedError(results, ended.reason) from None
        return results

    def end(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._process.wait()
        self._selector.close()
        for pipe in (self._process.stdin, self._process.stdout):
            cast("BinaryIO", pipe).close()

    def _send(self, content: bytes) -> None:
        left = memoryview(len(content).to_bytes(8, "little") + content)
        try:
            while left:
                left = left[cast("BinaryIO", self._process.stdin).write(left) :]
        except BrokenPipeError:
            raise _EndedError([], self._describe_end()) from None

    def _receive(self, limit_s: float) -> Iterator[tuple[str, Any]]:
        """Yield messages, each of which comes within a time."""
        while True:
            end = time.monotonic() + limit_s
            while (message := self._take_message()) is None:
                if not self._selector.select(max(0.0, end - time.monotonic())):
                    self.end()
                    raise _EndedError([], _describe_limit(limit_s))
                data = os.read(cast("BinaryIO", self._process.stdout).fileno(), 1 << 20)
                if not data:
                    raise _EndedError([], self._describe_end())
                self._received += data
            yield message

    def _take_message(self) -> tuple[str, Any] | None:
        received = self._received
        end = 8 + int.from_bytes(received[:8], "little")
        if len(received) < 8 or len(received) < end:
            return None
        message: tuple[str, Any] = pickle.loads(received[8:end])
        del received[:end]
        return message

    def _describe_end(self) -> str:
        status = self._process.wait()
        self.end()
        if status == -signal.SIGALRM:
            return _describe_limit(LIMIT_S)
        if status < 0:
            return f"its worker process was ended by {signal.Signals(-status).name}"
        return "its worker process has ended"


def _describe_limit(limit_s: float) -> str:
    return f"it took longer than {limit_s:g} s"
