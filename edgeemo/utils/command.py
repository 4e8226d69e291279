"""The end of a command: each error as one line on standard error, and the exit status.

Every entry point shares it: ``edgeemo``, ``python -m edgeemo.runtime`` and a bundle. The exit
statuses are in `edgeemo.errors`. Standard library only.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from edgeemo.errors import EXIT_ERROR, EdgeEmoError
from edgeemo.utils.interrupt import (
    exit_on_interrupt,
    interrupt_status,
    raise_on_interrupt,
    stems_from_interrupt,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def run_command(work: Callable[[], int], *, memory_hint: str = "") -> int:
    """Run a command; write an error that the user can mend as one line on standard error.

    Args:
        work: The command, which returns its exit status.
        memory_hint: What to try where memory runs out, such as "try a smaller --size".

    Returns:
        The exit status: that of `work` or of the error; 130 after Ctrl-C, 143
        after SIGTERM.
    """
    began = raise_on_interrupt()
    try:
        status = _work_and_flush(work)
    except BaseException as error:
        return interrupt_status() if stems_from_interrupt(error) else _report(error, memory_hint)
    finally:
        if began:
            exit_on_interrupt()
    return status


def _work_and_flush(work: Callable[[], int]) -> int:
    try:
        status = work()
    except SystemExit:  # argparse has printed help
        sys.stdout.flush()
        raise
    sys.stdout.flush()
    return status


def _report(error: BaseException, memory_hint: str) -> int:
    """Write an error that the user can mend, and return the exit status; raise any other."""
    match error:
        case EdgeEmoError():
            return _fail(str(error), error.exit_code)
        case BrokenPipeError():
            _drop(1)
            return EXIT_ERROR
        case OSError():
            place = error.filename or ("" if _can_print() else "standard output")
            _drop(1)
            return _fail(f"{place}{': ' if place else ''}{error.strerror or error}")
        case MemoryError():
            return _fail(f"out of memory; {memory_hint}" if memory_hint else "out of memory")
        case _:
            raise error


def prepare_streams() -> None:
    """Make standard streams that take every name, where the caller closed them, too.

    The next file that is opened would get the number of a closed stream, and what is printed. Names
    that are not valid UTF-8 are printed with escapes.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free
    if sys.stdout is None:
        sys.stdout = os.fdopen(1, "w", closefd=False)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", closefd=False)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def write_error(line: str) -> None:
    """Write a line to standard error; nothing ends because that cannot be written."""
    try:
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()
    except OSError:
        _drop(2)


def _can_print() -> bool:
    """Return whether what was printed can be written; a failure is repeated by another try."""
    try:
        sys.stdout.flush()
    except OSError:
        return False
    return True


def _drop(stream: int) -> None:
    """Drop what is left to print; the interpreter would complain of it at its exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream)


def _fail(message: str, status: int = EXIT_ERROR) -> int:
    from edgeemo.utils.text import escape_controls  # nothing that a start has to wait for

    write_error(f"error: {escape_controls(message)}")
    return status
