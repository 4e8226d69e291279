"""Keep what libraries write to the process's own standard streams off the user's screen.

TensorFlow's converter and the inference engines write to file descriptors 1 and 2 from C++, where
`contextlib.redirect_stdout` does not reach; what matters of it comes back in their exceptions.
Standard library only.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def quiet() -> Iterator[None]:
    """Drop everything written to file descriptors 1 and 2 inside the block.

    Whole-process: other threads' output is dropped too, unless they write to a duplicate that was
    made earlier, as the command line's console does.
    """
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


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
