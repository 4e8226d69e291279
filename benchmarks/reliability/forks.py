"""Commands in forked copies of a process that has imported TensorFlow, which takes seconds.

A copy may be process 1 of a PID namespace, as in a container: then a process between waits for it,
which no signal ends but SIGKILL.
"""

from __future__ import annotations

import ctypes
import os
import runpy
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from pathlib import Path

_NEW_PID = 0x20000000  # CLONE_NEWPID of sched.h
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of sys/prctl.h
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_LIBC = ctypes.CDLL(None, use_errno=True)


def import_everything(*, heavy: bool) -> None:
    """Import what the commands import, so that their copies need not.

    Args:
        heavy: Whether to import TensorFlow, too.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    names = ["edgeemo.cli.app", "edgeemo.dataset.ingest", "edgeemo.dataset.synthetic"]
    if heavy:
        names += ["tensorflow", "keras", "edgeemo.train.training", "edgeemo.export.exporting"]
    for name in names:
        import_module(name)


def can_be_first() -> bool:
    """Return whether this process may make PID namespaces."""
    child = os.fork()
    if child == 0:
        os._exit(_LIBC.unshare(_NEW_PID) != 0)
    return os.waitpid(child, 0)[1] == 0


@dataclass
class Fork:
    """A running command.

    Attributes:
        pid: Number of its process group.
        errors: File of its standard error.
        status: Exit status once it has ended: that of the command, or minus a signal.
    """

    pid: int
    errors: Path
    status: int | None = None

    def poll(self) -> int | None:
        """Return the exit status if it has ended."""
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status

    def wait(self, seconds: float) -> int | None:
        """Wait for its end; return the exit status, or None if it has not ended by then."""
        end = time.monotonic() + seconds
        while self.poll() is None and time.monotonic() < end:
            time.sleep(0.01)
        return self.status

    def kill(self, number: signal.Signals) -> None:
        """Send a signal to its processes."""
        os.killpg(self.pid, number)


def start(words: str, place: Path, *, first: bool = False, fresh: bool = False) -> Fork:
    """Start a command in a folder, its standard error in a file beside it.

    Args:
        words: Its arguments.
        place: The folder.
        first: Whether it is process 1 of a PID namespace.
        fresh: Whether it has an interpreter of its own instead of a copy of this one.
    """
    errors = place.with_name(f"{place.name}.err")
    errors.touch()
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)  # a command of its own has no such moment
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        run = _run_first if first else _run_fresh if fresh else _run
        run(words, place, errors)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    with suppress(OSError):
        os.setpgid(child, child)  # whoever is quicker
    return Fork(child, errors)


def _run_first(words: str, place: Path, errors: Path) -> NoReturn:
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    if _LIBC.unshare(_NEW_PID):
        os._exit(99)
    child = os.fork()
    if child == 0:
        _LIBC.prctl(_DIE_WITH_PARENT, signal.SIGKILL)
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        _run(words, place, errors)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os._exit(status if status >= 0 else 128 - status)


def _run_fresh(words: str, place: Path, errors: Path) -> NoReturn:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # not ignored, as in the background
    os.chdir(place)
    _redirect(errors)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    os.execv(sys.executable, [sys.executable, "-m", "edgeemo", *words.split()])


def _run(words: str, place: Path, errors: Path) -> NoReturn:
    """Run the command as Python does that was started with ``-m edgeemo``; end this process."""
    status: object = 0
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.chdir(place)
        _redirect(errors)
        sys.argv = ["edgeemo", *words.split()]
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        runpy.run_module("edgeemo", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        status = end.code
        if isinstance(status, str):
            sys.stderr.write(f"{status}\n")
    except BaseException:
        sys.excepthook(*sys.exc_info())
        status = 1
    finally:
        sys.stderr.flush()
        os._exit(status if isinstance(status, int) else int(status is not None))


def _redirect(errors: Path) -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 2)
