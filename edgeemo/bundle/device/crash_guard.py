"""Run something in a child process, so that a crash of an engine ends in one line."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

from edgeemo.errors import EngineError, describe_crash

if TYPE_CHECKING:
    from collections.abc import Callable

CRASHES = (signal.SIGILL, signal.SIGSEGV, signal.SIGBUS)
"""What ends a process whose engine does not suit the machine."""

_ENDED_BY_OTHERS = (signal.SIGTERM, signal.SIGHUP)


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
    """Do something in a forked child and hand on its exit status.

    Called before numpy and an engine are loaded, it costs about a millisecond and no memory. Who
    ends or hangs up on this process does so to the child as well.

    Args:
        work: What to do; it prints its own errors. It is given a function to call before the first
            answer goes out.

    Returns:
        What `work` returned.

    Raises:
        CrashError: If the child was ended by a signal.
    """
    reading, writing = os.pipe()
    # Held back until there is somebody to hand them on.
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDED_BY_OTHERS)
    child = os.fork()
    if child == 0:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDED_BY_OTHERS)
        os.close(reading)
        _work_and_end(lambda: work(lambda: _tell(writing)))
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
    """The child's status, as os.waitpid gives it; signals to this process go on to the child."""
    before = {
        number: signal.signal(number, lambda number, _: os.kill(child, number))
        for number in _ENDED_BY_OTHERS
    }
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDED_BY_OTHERS)
    try:
        return os.waitpid(child, 0)[1]
    except KeyboardInterrupt:  # the child got it as well, and says what there is to say
        return os.waitpid(child, 0)[1]
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _tell(writing: int) -> None:
    os.write(writing, b".")


def _work_and_end(work: Callable[[], int]) -> NoReturn:
    status = 1
    try:
        status = work()
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(status)
