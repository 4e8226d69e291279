"""What the commands print with: results to standard output, everything else to standard error."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import Console
    from rich.progress import Progress as RichBar
    from rich.progress import TaskID

EXAMPLES = "Examples:\n\n\b\n"
"""Begins a command's epilogue; ``\\b`` keeps the lines that follow as they are."""


def say(text: str) -> None:
    """One line to standard error."""
    typer.echo(text, err=True)


def warn(text: str) -> None:
    """One warning to standard error."""
    say(f"warning: {text}")


def print_json(content: dict[str, Any]) -> None:
    """The one JSON object that a command with --json prints to standard output."""
    typer.echo(json.dumps(content, indent=2))


def print_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, title: str = "", numbers_from: int = 1
) -> None:
    """A table to standard output.

    Args:
        columns: The headings.
        rows: One sequence of cells per row.
        title: A line above it.
        numbers_from: Columns from this one on are aligned to the right.
    """
    from rich import box
    from rich.table import Table

    table = Table(
        title=title or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD
    )
    for index, column in enumerate(columns):
        table.add_column(
            column, justify="right" if index >= numbers_from else "left", overflow="fold"
        )
    for row in rows:
        table.add_row(*(_plain(cell) for cell in row))
    _stdout_console().print(table)


def print_facts(facts: Mapping[str, str], *, title: str) -> None:
    """Names and values in two columns to standard output."""
    from rich.table import Table

    table = Table(
        title=title, title_justify="left", title_style="bold", box=None, show_header=False
    )
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts.items():
        table.add_row(name, _plain(value))
    _stdout_console().print(table)


class ScreenProgress:
    """An `edgeemo.progress.Progress` drawn with rich on a terminal, in plain lines elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar: RichBar | None = None
        self._task: TaskID | None = None

    def stage(self, name: str, *, total: int | None = None) -> None:
        """Begin a stage."""
        self.close()
        if not self._console.is_terminal:
            self._console.print(f"{name} ...", markup=False, highlight=False)
            return
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.completed}/{task.total}" if total else ""),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[detail]}"),
            console=self._console,
        )
        self._bar.start()
        self._task = self._bar.add_task(name, total=total, detail="")

    def advance(self, steps: int = 1, *, detail: str = "") -> None:
        """Some steps are done."""
        if self._bar is None or self._task is None:
            return
        self._bar.advance(self._task, steps)
        if detail:
            self._bar.update(self._task, detail=detail)

    def note(self, text: str) -> None:
        """Something that stays on the screen."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        """End the current stage."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = self._task = None


@contextmanager
def progress() -> Iterator[ScreenProgress]:
    """Progress on standard error.

    It writes to a duplicate of the file descriptor, so it stays visible while the chatter of a
    library is kept off the original (see `edgeemo.quiet`).
    """
    from rich.console import Console

    sys.stderr.flush()
    with os.fdopen(os.dup(2), "w", buffering=1, errors="backslashreplace") as stream:
        shown = ScreenProgress(Console(file=stream))
        try:
            yield shown
        finally:
            shown.close()


def _plain(cell: str) -> str:
    from rich.markup import escape

    return escape(cell)


def _stdout_console() -> Console:
    from rich.console import Console

    # A table that goes into a file or a pipe is not folded to a terminal's width.
    return Console() if sys.stdout.isatty() else Console(width=160)
