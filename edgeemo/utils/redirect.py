"""Keep the output of libraries off the user's screen.

TensorFlow's converter and the inference engines write to file descriptors 1 and 2 from C++, where
`contextlib.redirect_stdout` does not reach; their exceptions hold what matters of it.
Standard library only.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


_is_shown = False
_one_at_a_time = RLock()  # two threads would restore each other's descriptors


@contextmanager
def show_output() -> Iterator[None]:
    """Let the output of libraries through inside the block: whole-process, as `drop_output`."""
    global _is_shown  # noqa: PLW0603 - file descriptors are the process's, too
    before, _is_shown = _is_shown, True
    try:
        yield
    finally:
        _is_shown = before


def shows_output() -> bool:
    """Return whether `drop_output` and `silence` let everything through."""
    return _is_shown


@contextmanager
def drop_output() -> Iterator[None]:
    """Drop everything written to file descriptors 1 and 2 inside the block.

    Whole-process: other threads' output is dropped too, unless they write to a duplicate that was
    made earlier, as the command line's console does. Nothing is dropped inside `show_output`. One
    thread drops at a time.
    """
    if _is_shown:
        yield
        return
    with _one_at_a_time:
        _flush()
        saved = {descriptor: os.dup(descriptor) for descriptor in (1, 2)}
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            for descriptor in saved:
                os.dup2(nowhere, descriptor)
            yield
        finally:
            _flush()
            os.close(nowhere)
            for descriptor, copy in saved.items():
                os.dup2(copy, descriptor)
                os.close(copy)


def drop_image_warnings() -> None:
    """Keep Pillow's warnings of odd images off the screen, for the rest of the process.

    An entry point calls this; what is wrong with an image is its error. Warnings that the user
    requested of Python are not dropped.
    """
    if not sys.warnoptions:
        import warnings

        warnings.filterwarnings("ignore", module="PIL")


@contextmanager
def silence() -> Iterator[None]:
    """Drop the output of a converter inside the block: descriptors, Python's streams and logging.

    Whole-process, as `drop_output`. A stream that replaced `sys.stdout`, as in a notebook, is
    covered, logging is off, and a handler that `logging.warning` installs on the root logger on its
    first call is removed. Nothing is dropped inside `show_output`.
    """
    if _is_shown:
        yield
        return
    import io
    import logging  # slow to import, and not needed on a device
    from contextlib import redirect_stderr, redirect_stdout

    handlers, disabled = list(logging.root.handlers), logging.root.manager.disable
    logging.disable()
    try:
        with drop_output(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.root.handlers[:] = handlers
        logging.disable(disabled)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
