"""Progress on standard error: bars on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console
    from rich.progress import Progress as Bars

_SECONDS = 10
"""How often a stage says where it is, where there is no terminal."""


class _Lines:
    """An `edgeemo.progress.Progress` for logs and pipes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._done, self._total = 0, 0
        self._said = 0.0

    def stage(self, name: str, *, total: int | None = None) -> None:
        self._done, self._total, self._said = 0, total or 0, time.monotonic()
        self.note(f"{name} ...")

    def advance(self, steps: int = 1, *, detail: str = "") -> None:
        self._done += steps
        if time.monotonic() - self._said < _SECONDS:
            return
        self._said = time.monotonic()
        self.note(f"  {self._done}/{self._total}  {detail}".rstrip())

    def note(self, text: str) -> None:
        self._stream.write(f"{text}\n")

    def close(self) -> None:
        self._stream.flush()


class _Screen:
    """An `edgeemo.progress.Progress` for a terminal: one bar per stage, drawn by rich."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars: Bars | None = None

    def stage(self, name: str, *, total: int | None = None) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self.close()
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.completed}/{task.total}" if total else ""),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[detail]}"),
            console=self._console,
        )
        self._bars.add_task(name, total=total, detail="")
        self._bars.start()

    def advance(self, steps: int = 1, *, detail: str = "") -> None:
        if self._bars is None:
            return
        task = self._bars.task_ids[0]
        self._bars.advance(task, steps)
        if detail:
            self._bars.update(task, detail=detail)

    def note(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        if self._bars is not None:
            self._bars.stop()
            self._bars = None


@contextmanager
def progress() -> Iterator[_Lines | _Screen]:
    """Progress on standard error.

    It writes to a duplicate of the file descriptor, so it stays visible while the chatter of a
    library is kept off the original (see `edgeemo.quiet`).
    """
    from rich.console import Console

    sys.stderr.flush()
    with os.fdopen(os.dup(2), "w", buffering=1, errors="backslashreplace") as stream:
        console = Console(file=stream)
        shown = _Screen(console) if console.is_terminal else _Lines(stream)
        try:
            yield shown
        finally:
            shown.close()
