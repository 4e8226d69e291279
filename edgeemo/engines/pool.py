"""Interpreters of one model, which threads take in turns. Standard library only."""

from __future__ import annotations

import os
from threading import Condition
from typing import TYPE_CHECKING, Any

from edgeemo.errors import EngineError
from edgeemo.utils.system import usable_cores

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeemo.model.container import SealedModel


class InterpreterPool:
    """Interpreters of one model: each runs in one thread at a time.

    Another one is built when all are taken, up to one per core; then a thread waits. So a thread
    costs an interpreter only while it predicts, and predictions never wait for each other where
    there are cores for them. A forked process builds its own where they have threads.

    Args:
        first: The first interpreter.
        build: Builds another one.
        threads: Number of threads per prediction.
    """

    def __init__(self, first: Any, build: Callable[[], Any], *, threads: int) -> None:
        self._build, self._threads = build, threads
        self._idle, self._built, self._limit = [first], [first], 0
        self._changed, self._process = Condition(), os.getpid()

    def take(self) -> Any:
        """Return an interpreter that is this thread's until `give_back`; wait for one if need be.

        Raises:
            EngineError: If the first one of a forked process cannot be built.
        """
        if self._process != os.getpid():
            self._leave_parent()
        with self._changed:
            while not self._idle:
                if self._may_add() and self._add():
                    break
                self._changed.wait()
            return self._idle.pop()

    def give_back(self, interpreter: Any) -> None:
        """Let the next thread have an interpreter."""
        with self._changed:
            self._idle.append(interpreter)
            self._changed.notify()

    def _may_add(self) -> bool:
        self._limit = self._limit or max(1, usable_cores() // self._threads)
        return len(self._built) < self._limit

    def _add(self) -> bool:
        """Build another interpreter; return False where that fails and there are others."""
        try:
            self._built.append(self._build())
        except (EngineError, MemoryError):
            if not self._built:
                raise
            self._limit = len(self._built)
            return False
        self._idle.append(self._built[-1])
        return True

    def _leave_parent(self) -> None:
        """Forget the interpreters that threads of the parent process hold, or that have threads."""
        if self._threads > 1:
            keep_forever(*self._built)
            self._idle.clear()
        self._built, self._limit = [*self._idle], 0
        self._changed, self._process = Condition(), os.getpid()


def keep_forever(*engines: Any) -> None:
    """Keep what a forked process inherits and cannot use, but not end either.

    Its threads stayed in the parent process: an end would wait for them, or crash.
    """
    from ctypes import py_object, pythonapi

    for each in engines:
        pythonapi.Py_IncRef(py_object(each))


def read_again(model: SealedModel) -> bytes:
    """Read the file of a model that was loaded before.

    Raises:
        EngineError: If it is gone, or holds other bytes by now.
    """
    from hashlib import sha256

    try:
        with open(model.path, "rb") as stream:  # noqa: PTH123 - pathlib is slow to import
            content = stream.read()
    except OSError as error:
        raise EngineError(f"{model.path}: cannot be read: {error.strerror or error}") from None
    if sha256(content).hexdigest() != model.sha256:
        raise EngineError(f"{model.path}: has changed since it was loaded; load it again")
    return content
