"""Progress on standard error: bars on a terminal, a line now and then elsewhere, or nothing."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

from edgeemo.cli.output.console import is_quiet, say
from edgeemo.utils.progress import Silent
from edgeemo.utils.redirect import shows_output
from edgeemo.utils.text import escape_controls

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import Console, RenderableType
    from rich.progress import Progress as Bars
    from rich.progress import Task

    from edgeemo.utils.progress import Progress

_SECONDS = 10
"""Interval of progress lines, without a terminal."""


class _QuietProgress(Silent):
    """An `edgeemo.utils.progress.Progress` that prints warnings alone."""

    def note(self, text: str) -> None:
        if text.startswith("warning: "):
            say(text)


class _LogProgress:
    """An `edgeemo.utils.progress.Progress` for logs and pipes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._done, self._total = 0, 0
        self._printed = 0.0
        self._first: tuple[int, float] | None = None

    def stage(self, name: str, *, total: int | None = None) -> None:
        self._done, self._total, self._printed = 0, total or 0, time.monotonic()
        self._first = None
        self.note(f"{name} ...")

    def advance(self, steps: int = 1, *, detail: str = "") -> None:
        now = time.monotonic()
        self._done += steps
        if self._first is None:  # the start took time, or an earlier run did these steps
            self._first = (self._done, now)
        if now - self._printed < _SECONDS:
            return
        self._printed = now
        count = f"{self._done}/{self._total}" if self._total else f"{self._done:,}"
        parts = (count, self._describe_rest(now), detail)
        self.note("  " + "  ".join(part for part in parts if part))

    def note(self, text: str) -> None:
        with suppress(OSError):  # a training does not end because its log cannot be written
            self._stream.write(f"{escape_controls(text)}\n")

    def close(self) -> None:
        pass

    def _describe_rest(self, now: float) -> str:
        """Return the remaining time of the stage at the pace since its first step, in words."""
        done, began = self._first or (self._done, now)
        if self._done <= done or self._total <= self._done:
            return ""
        pace = (now - began) / (self._done - done)
        return f"{format_duration((self._total - self._done) * pace)} left"


def format_duration(seconds: float) -> str:
    """Return a duration as text: "40 s", "12 min", "3.5 h"."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    if seconds < 99.5 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


class _BarProgress:
    """An `edgeemo.utils.progress.Progress` for a terminal: a bar per stage, its detail below.

    Bar and detail would not fit side by side in the 80 columns of a usual terminal.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars: Bars | None = None

    def stage(self, name: str, *, total: int | None = None) -> None:
        self.close()
        self._bars = _make_bars(self._console, total=total)
        self._bars.add_task(escape_controls(name), total=total, detail="")
        self._bars.start()

    def advance(self, steps: int = 1, *, detail: str = "") -> None:
        if self._bars is None:
            return
        task = self._bars.task_ids[0]
        self._bars.advance(task, steps)
        if detail:
            self._bars.update(task, detail=escape_controls(detail))

    def note(self, text: str) -> None:
        self._console.print(escape_controls(text), markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        if self._bars is not None:
            self._bars.stop()
            self._bars = None


def _make_bars(console: Console, *, total: int | None) -> Bars:
    """Return a bar with count and time left, and below it the detail of its task."""
    from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn
    from rich.text import Text

    class WithDetail(Progress):
        def get_renderables(self) -> Iterable[RenderableType]:
            yield from super().get_renderables()
            for task in self.tasks:
                if task.fields["detail"]:
                    yield Text(f"  {task.fields['detail']}", no_wrap=True, overflow="ellipsis")

    class Time(ProgressColumn):
        max_refresh = 0.5  # seconds, lest it flickers

        def render(self, task: Task) -> Text:
            if task.finished_time is not None:
                return Text(f"in {format_duration(task.finished_time)}", style="progress.elapsed")
            if task.time_remaining is None:
                return Text("")
            return Text(f"{format_duration(task.time_remaining)} left", style="progress.remaining")

    return WithDetail(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.completed}/{task.total}" if total else "{task.completed:,}"),
        Time(),
        console=console,
    )


@contextmanager
def progress() -> Iterator[Progress]:
    """Show progress on standard error; with --quiet only warnings.

    It writes to a duplicate of the file descriptor, so it stays visible while the output of a
    library is dropped (see `edgeemo.utils.redirect`). Bars would be torn by output that is not.
    """
    if is_quiet():
        yield _QuietProgress()
        return
    with _open_stderr() as stream:
        shown = _LogProgress(stream) if shows_output() else _choose_progress(stream)
        try:
            yield shown
        finally:
            shown.close()


@contextmanager
def _open_stderr() -> Iterator[TextIO]:
    """Yield a stream of its own to standard error, which may be one that cannot be written."""
    stream = os.fdopen(os.dup(2), "w", buffering=1, errors="backslashreplace")
    try:
        with suppress(OSError):
            sys.stderr.flush()
        yield stream
    finally:
        with suppress(OSError):
            stream.close()


def _choose_progress(stream: TextIO) -> _LogProgress | _BarProgress:
    """Return bars for a terminal that can draw them, else lines."""
    if not stream.isatty():
        return _LogProgress(stream)
    from rich.console import Console

    console = Console(file=stream)
    return _BarProgress(console) if console.is_terminal else _LogProgress(stream)
