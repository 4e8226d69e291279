"""Keep what libraries write to the process's own standard streams off the user's screen.

TensorFlow's converter and the inference engines write to file descriptors 1 and 2 from C++, where
`contextlib.redirect_stdout` does not reach. Standard library only.
"""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def quiet() -> Iterator[None]:
    """Swallow everything written to file descriptors 1 and 2 inside the block.

    Whole-process: other threads' output is swallowed too, unless they write to a duplicate that was
    made earlier, as the command line's console does. If the block raises, what was swallowed is
    attached to the exception as a note.
    """
    with tempfile.TemporaryFile() as swallowed:
        saved = _redirect(swallowed.fileno())
        try:
            yield
        except Exception as error:
            _restore(saved)
            swallowed.seek(0)
            error.add_note(swallowed.read()[-4000:].decode(errors="replace"))
            raise
        finally:
            _restore(saved)


def _redirect(target: int) -> dict[int, int]:
    _flush()
    saved = {descriptor: os.dup(descriptor) for descriptor in (1, 2)}
    for descriptor in saved:
        os.dup2(target, descriptor)
    return saved


def _restore(saved: dict[int, int]) -> None:
    _flush()
    while saved:
        descriptor, copy = saved.popitem()
        os.dup2(copy, descriptor)
        os.close(copy)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
