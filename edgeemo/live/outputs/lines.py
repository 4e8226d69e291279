"""Lines on standard output: each whole, or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from edgeemo.live.outputs.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

_LIMIT = 256
_CLOSE_S = 0.7


class LineWriter:
    """Writes lines to a stream, each in one call of the system.

    A process that is killed leaves no half of a line. A reader that stalls does not stop the loop
    of a live source: a thread writes, and lines are left out. Of a file none is: the loop waits.

    Args:
        stream: A text stream, such as standard output.
        waits: Whether to wait for a reader that stalls.
        report: Receives a line when lines are left out.
    """

    def __init__(
        self, stream: TextIO, *, waits: bool, report: Callable[[str], None] = lambda _: None
    ) -> None:
        self._stream, self._descriptor = stream, _find_descriptor(stream)
        message = "standard output: its reader is too slow; lines are left out"
        self._waits = waits
        self._worker = Worker(self._write_now, limit=_LIMIT, on_drop=lambda: report(message))

    def write(self, line: str) -> None:
        """Write a line.

        Raises:
            BrokenPipeError: If nobody reads the stream any more.
            OSError: If it cannot be written.
        """
        if self._waits:
            self._write_now(line)
        else:
            self._worker.put(line)

    def close(self) -> None:
        """Write what waits, for a second at most."""
        self._worker.finish(_CLOSE_S)

    def _write_now(self, line: str) -> None:
        if self._descriptor is None:
            self._stream.write(f"{line}\n")
            self._stream.flush()
            return
        encoding = self._stream.encoding or "utf-8"
        content = f"{line}\n".encode(encoding, "backslashreplace")
        written = 0
        try:
            while written < len(content):
                written += os.write(self._descriptor, memoryview(content)[written:])
        except OSError:
            _take_back(self._descriptor, written)
            raise


def _take_back(descriptor: int, size: int) -> None:
    """Remove the half of a line that found room on a full disk; in a pipe it stays."""
    with suppress(OSError):
        if size:
            os.ftruncate(descriptor, os.fstat(descriptor).st_size - size)


def _find_descriptor(stream: TextIO) -> int | None:
    """Return the descriptor of a stream; None of one in memory."""
    try:
        stream.flush()
        return stream.fileno()
    except (OSError, ValueError, AttributeError):
        return None
