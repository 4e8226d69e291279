"""Output of the commands: results to standard output, everything else to standard error."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from edgeemo.utils.command import write_error
from edgeemo.utils.text import escape_controls

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Iterator, Mapping, Sequence

_quiet = False


@contextmanager
def be_quiet(quiet: bool) -> Iterator[None]:
    """Drop notes and progress inside the block, if `quiet`."""
    global _quiet  # noqa: PLW0603 - standard error is one, too
    before, _quiet = _quiet, quiet
    try:
        yield
    finally:
        _quiet = before


def is_quiet() -> bool:
    """Return whether notes and progress are dropped."""
    return _quiet


def note(text: str) -> None:
    """Print a line to standard error, unless --quiet is given."""
    if not _quiet:
        say(text)


def say(text: str) -> None:
    """Print a line to standard error."""
    write_error(_escape(text))


def warn(text: str) -> None:
    """Print a warning to standard error."""
    say(f"warning: {text}")


def echo(text: str) -> None:
    """Print a line to standard output at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def print_json(content: Any) -> None:
    """Print the one JSON object of a command with --json to standard output."""
    import json

    from edgeemo.utils.serialize import to_plain

    echo(json.dumps(to_plain(content), indent=2))


def print_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    title: str | os.PathLike[str] = "",
    numbers_from: int = 1,
    prose: Collection[str] = (),
) -> None:
    """Print a table to standard output; see `edgeemo.utils.layout.format_table`.

    Args:
        columns: The headings.
        rows: One sequence of cells per row.
        title: A line above it.
        numbers_from: Columns from this one on are aligned to the right.
        prose: Headings of the columns whose text may be broken into lines.
    """
    from edgeemo.utils.layout import format_table, get_width

    width = get_width(sys.stdout)
    rows = [[escape_controls(cell) for cell in row] for row in rows]
    lines = format_table(columns, rows, width=width, numbers_from=numbers_from, prose=prose)
    _print_block(lines, title=title, width=width)


def print_facts(
    facts: Mapping[str, str | os.PathLike[str]], *, title: str | os.PathLike[str]
) -> None:
    """Print names and values to standard output; see `edgeemo.utils.layout.format_facts`."""
    from edgeemo.utils.layout import format_facts, get_width

    width = get_width(sys.stdout)
    _print_block(format_facts(facts, width=width), title=title, width=width)


def _print_block(lines: Sequence[str], *, title: str | os.PathLike[str], width: int | None) -> None:
    """Print lines below a title, and an empty one that separates what follows."""
    from edgeemo.utils.layout import wrap

    above = wrap(title, width) if title else []
    echo("\n".join(map(escape_controls, [*above, *lines, ""])))


def _escape(text: str) -> str:
    """Return a text whose lines hold nothing that a terminal would act upon."""
    return "\n".join(map(escape_controls, text.split("\n")))
