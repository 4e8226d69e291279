"""Run something in a child process, so that a crash of an engine ends in one line."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

from edgeemo.errors import EngineError, describe_crash
from edgeemo.utils.interrupt import interrupt_status

if TYPE_CHECKING:
    from collections.abc import Callable


def _find_signals(*names: str) -> tuple[signal.Signals, ...]:
    """Return those of the signals that this system has: Windows has not all."""
    return tuple(signal.Signals[name] for name in names if name in signal.Signals.__members__)


CRASHES = _find_signals("SIGILL", "SIGSEGV", "SIGBUS")
"""Signals that end a process whose engine does not suit the machine."""

_ENDED_BY_OTHERS = _find_signals("SIGTERM", "SIGHUP")
_SOON = 0.5
"""Seconds in which a child that gets Ctrl-C has ended."""

_BLOCKED = (*_ENDED_BY_OTHERS, signal.SIGINT)


class CrashError(EngineError):
    """The guarded process was ended by a signal.

    Attributes:
        ended_by: The signal.
        predicted: Whether a prediction had been printed before.
    """

    def __init__(self, ended_by: signal.Signals, *, predicted: bool) -> None:
        super().__init__(describe_crash(ended_by.name))
        self.ended_by = ended_by
        self.predicted = predicted


def run_guarded(work: Callable[[Callable[[], None]], int]) -> int:
    """Run something in a forked child and return its exit status.

    Called before numpy and an engine are loaded, this costs about a millisecond and no memory. A
    signal that ends or hangs up this process is passed on to the child. Where no process can be
    forked, as on Windows, the work is done here.

    Args:
        work: The work, which prints its own errors. It takes a function to call before the first
            prediction is printed.

    Returns:
        The exit status that `work` returned.

    Raises:
        CrashError: If the child was ended by a signal.
    """
    if not hasattr(os, "fork"):
        return work(lambda: None)
    reading, writing = os.pipe()
    # Blocked until there is a child to pass them on to.
    signal.pthread_sigmask(signal.SIG_BLOCK, _BLOCKED)
    child = os.fork()
    if child == 0:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _BLOCKED)
        os.close(reading)
        _work_and_end(lambda: work(lambda: _report(writing)))
    os.close(writing)
    status = _wait(child)
    predicted = bool(os.read(reading, 1))
    os.close(reading)
    if not os.WIFSIGNALED(status):
        return os.WEXITSTATUS(status)
    ended_by = signal.Signals(os.WTERMSIG(status))
    if ended_by in _ENDED_BY_OTHERS:
        os.kill(os.getpid(), ended_by)
    raise CrashError(ended_by, predicted=predicted)


def _wait(child: int) -> int:
    """Return the child's status, as os.waitpid does; pass signals to this process on to it."""
    before = {
        number: signal.signal(number, lambda number, _: os.kill(child, number))
        for number in _ENDED_BY_OTHERS
    }
    # The child gets Ctrl-C as well, and ends; KeyboardInterrupt here would lose its status. It does
    # not get what is sent to this process alone, as by kill -INT.
    before[signal.SIGINT] = signal.signal(signal.SIGINT, lambda *_: _set_alarm(_SOON))
    before[signal.SIGALRM] = signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGINT))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _BLOCKED)
    try:
        return os.waitpid(child, 0)[1]
    finally:
        _set_alarm(0)
        for number, handler in before.items():
            signal.signal(number, handler)


def _set_alarm(seconds: float) -> None:
    signal.setitimer(signal.ITIMER_REAL, seconds)


def _report(writing: int) -> None:
    os.write(writing, b".")


def _work_and_end(work: Callable[[], int]) -> NoReturn:
    status = 1
    try:
        status = work()
    except KeyboardInterrupt:  # before the work could take care of it
        status = interrupt_status()
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(status)
