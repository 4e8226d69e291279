"""Ctrl-C at the start and at the end of a process: exit status 130, no traceback.

An entry point calls `exit_on_interrupt` before it imports anything else. `run_command` lets Ctrl-C
raise KeyboardInterrupt during the work itself, which then cleans up, and no longer. What remains
are the first hundredths of a second, in which Python starts and has run no line of edgeemo: there
it prints a traceback of its own. Standard library only; imports next to nothing.
"""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found] # signal imports enum first: 5 ms
import os

TYPE_CHECKING = False  # without the import of typing, which takes longer than all else here
if TYPE_CHECKING:
    from types import FrameType

_INTERRUPTED = 130


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
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return True


def stems_from_interrupt(error: BaseException | None) -> bool:
    """Return whether an exception is that of Ctrl-C, or what a library has made of it."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None


def _exit(number: int, frame: FrameType | None) -> None:
    os._exit(_INTERRUPTED)
