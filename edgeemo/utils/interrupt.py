"""Interrupts, which are Ctrl-C and SIGTERM: exit status 130 or 143, no traceback.

An entry point calls `exit_on_interrupt` before it imports anything else. `run_command` lets an
interrupt raise KeyboardInterrupt during the work itself, which then cleans up, and no longer. What
remains are the first hundredths of a second, in which Python starts and has run no line of edgeemo:
there it prints a traceback of its own. Standard library only; imports next to nothing.
"""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found] # signal imports enum first: 5 ms
import os
import sys

TYPE_CHECKING = False  # without the import of typing, which takes longer than all else here
if TYPE_CHECKING:
    from sys import UnraisableHookArgs
    from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_RECEIVED: list[int] = []
"""Numbers of the signals so far."""

_SOON = 0.05
"""Seconds until a signal is sent again, by when the code that cannot raise has ended."""


def exit_on_interrupt() -> None:
    """Make an interrupt end the process at once, unless it is ignored, as in a background job."""
    for number in _SIGNALS:
        if signal.getsignal(number) not in (signal.SIG_IGN, None):
            signal.signal(number, _exit)


def raise_on_interrupt() -> bool:
    """Make an interrupt raise KeyboardInterrupt instead, where `exit_on_interrupt` was called.

    Returns:
        Whether it was.
    """
    numbers = [number for number in _SIGNALS if signal.getsignal(number) is _exit]
    for number in numbers:
        signal.signal(number, _raise)
        sys.unraisablehook = _raise_again
    return bool(numbers)


def stems_from_interrupt(error: BaseException | None) -> bool:
    """Return whether an exception is that of an interrupt, or what a library has made of it.

    An import that an interrupt broke in C is an ImportError that says nothing of it.
    """
    kinds = (KeyboardInterrupt, ImportError) if _RECEIVED else KeyboardInterrupt
    while error is not None and not isinstance(error, kinds):
        error = error.__context__
    return error is not None


def interrupt_status() -> int:
    """Return the exit status after an interrupt: 130 after Ctrl-C, 143 after SIGTERM."""
    return _status(_RECEIVED[0] if _RECEIVED else signal.SIGINT)


def _raise_again(lost: UnraisableHookArgs) -> None:
    """Send a signal again where Python lost it, as in a `__del__`; report any other exception."""
    if not issubclass(lost.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(lost)
        return
    from threading import Timer

    number = _RECEIVED[-1] if _RECEIVED else signal.SIGINT
    Timer(_SOON, os.kill, (os.getpid(), number)).start()


def _raise(number: int, frame: FrameType | None) -> None:
    _RECEIVED.append(number)
    raise KeyboardInterrupt


def _exit(number: int, frame: FrameType | None) -> None:
    os._exit(_status(number))


def _status(number: int) -> int:
    return 128 + number
