"""Converters write wherever they can: file descriptors, Python's streams, the root logger."""

from __future__ import annotations

import io
import logging
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING

from edgeemo.utils.redirect import quiet

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def silence() -> Iterator[None]:
    """Drop everything that a converter says inside the block; whole-process, as `quiet`.

    A stream that replaced `sys.stdout`, as in a notebook, is spared as well, logging is off, and a
    handler that `logging.warning` installs on the root logger on its first call is taken away.
    """
    handlers, disabled = list(logging.root.handlers), logging.root.manager.disable
    logging.disable()
    try:
        with quiet(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.root.handlers[:] = handlers
        logging.disable(disabled)
