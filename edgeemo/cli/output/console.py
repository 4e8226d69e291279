"""What the commands print with: results to standard output, everything else to standard error."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import typer

from edgeemo.utils.serialize import to_plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

EXAMPLES = "Examples:\n\n\b\n"
"""Begins a command's epilogue; ``\\b`` keeps the lines that follow as they are."""


def say(text: str) -> None:
    """One line to standard error."""
    typer.echo(text, err=True)


def warn(text: str) -> None:
    """One warning to standard error."""
    say(f"warning: {text}")


def print_json(content: Any) -> None:
    """Print the one JSON object of a command with --json to standard output."""
    typer.echo(json.dumps(to_plain(content), indent=2))


def print_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, title: str = "", numbers_from: int = 1
) -> None:
    """Print a table to standard output.

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


def _plain(cell: str) -> str:
    from rich.markup import escape

    return escape(cell)


def _stdout_console() -> Console:
    from rich.console import Console

    # A table that goes into a file or a pipe is not folded to a terminal's width.
    return Console() if sys.stdout.isatty() else Console(width=160)
