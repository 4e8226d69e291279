"""Ctrl-C at the start and at the end of a process: exit status 130, no traceback.

An entry point calls `exit_on_interrupt` before it imports anything else. `run_command` lets Ctrl-C
raise KeyboardInterrupt during the work itself, which then cleans up, and no longer. What remains
are the first hundredths of a second, in which Python starts and has run no line of edgeemo: there
it prints a traceback of its own. Standard library only; imports next to nothing.
"""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found] # signal imports enum first: 5 ms
import os
import sys

TYPE_CHECKING = False  # without the import of typing, which takes longer than all else here
if TYPE_CHECKING:
    from sys import UnraisableHookArgs
    from types import FrameType

_INTERRUPTED = 130
_RECEIVED: list[int] = []
"""Every Ctrl-C so far."""

_SOON = 0.05
"""Seconds until Ctrl-C is sent again, by when the code that cannot raise has ended."""


def exit_on_interrupt() -> None:
    """Make Ctrl-C end the process at once, unless it is ignored, as in a background job."""
    if callable(signal.getsignal(signal.SIGINT)):
        signal.signal(signal.SIGINT, _exit)


def raise_on_interrupt() -> bool:
    """Make Ctrl-C raise KeyboardInterrupt instead, where `exit_on_interrupt` was called.

    Returns:
        Whether it was.
    """
    if signal.getsignal(signal.SIGINT) is not _exit:
        return False
    signal.signal(signal.SIGINT, _raise)
    sys.unraisablehook = _raise_again
    return True


def stems_from_interrupt(error: BaseException | None) -> bool:
    """Return whether an exception is that of Ctrl-C, or what a library has made of it.

    An import that Ctrl-C broke in C is an ImportError that says nothing of it.
    """
    kinds = (KeyboardInterrupt, ImportError) if _RECEIVED else KeyboardInterrupt
    while error is not None and not isinstance(error, kinds):
        error = error.__context__
    return error is not None


def _raise_again(lost: UnraisableHookArgs) -> None:
    """Send Ctrl-C again where Python lost it, as in a `__del__`; report any other exception."""
    if not issubclass(lost.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(lost)
        return
    from threading import Timer

    Timer(_SOON, os.kill, (os.getpid(), signal.SIGINT)).start()


def _raise(number: int, frame: FrameType | None) -> None:
    _RECEIVED.append(number)
    raise KeyboardInterrupt


def _exit(number: int, frame: FrameType | None) -> None:
    os._exit(_INTERRUPTED)
