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
        status = work()
        sys.stdout.flush()
    except BaseException as error:
        return interrupt_status() if stems_from_interrupt(error) else _report(error, memory_hint)
    finally:
        if began:
            exit_on_interrupt()
    return status


def _report(error: BaseException, memory_hint: str) -> int:
    """Write an error that the user can mend, and return the exit status; raise any other."""
    match error:
        case EdgeEmoError():
            return _fail(str(error), error.exit_code)
        case BrokenPipeError():
            _drop_output()  # or the interpreter complains at its exit
            return EXIT_ERROR
        case OSError():
            _drop_output()  # what is left to print has failed once already
            place = f"{error.filename}: " if error.filename else ""
            return _fail(f"{place}{error.strerror or error}")
        case MemoryError():
            return _fail(f"out of memory; {memory_hint}" if memory_hint else "out of memory")
        case _:
            raise error


def accept_any_file_name() -> None:
    """Print names that are not valid UTF-8 instead of failing on them."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _drop_output() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _fail(message: str, status: int = EXIT_ERROR) -> int:
    from edgeemo.utils.text import escape_controls  # nothing that a start has to wait for

    sys.stderr.write(f"error: {escape_controls(message)}\n")
    return status
