"""Single keys of a terminal, without the Enter key; also over SSH."""

from __future__ import annotations

import os
import select
import sys
from typing import Self

from edgeemo.errors import OptionError


class Keyboard:
    """Block in which each key of standard input's terminal is read as it is pressed.

    Raises:
        OptionError: If standard input is no terminal.
    """

    def __init__(self) -> None:
        self._descriptor = sys.stdin.fileno() if has_keyboard() else -1
        if self._descriptor < 0:
            raise OptionError("standard input is no terminal")

    def __enter__(self) -> Self:
        import termios
        import tty

        self._before = termios.tcgetattr(self._descriptor)
        tty.setcbreak(self._descriptor)  # Ctrl-C stays
        return self

    def __exit__(self, *_: object) -> None:
        import termios

        termios.tcsetattr(self._descriptor, termios.TCSADRAIN, self._before)

    def read(self) -> str:
        """Return the key that was pressed since the last call; "" for none."""
        ready, _, _ = select.select([self._descriptor], [], [], 0)
        return os.read(self._descriptor, 16).decode(errors="ignore")[:1] if ready else ""


def has_keyboard() -> bool:
    """Return whether standard input is a terminal whose keys can be read."""
    try:
        import termios  # noqa: F401 - not on Windows
    except ImportError:
        return False
    return sys.stdin is not None and sys.stdin.isatty()
