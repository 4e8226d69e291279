"""Tables and facts as lines of text that fit a terminal. Standard library only.

Names and numbers stay whole: text is broken at spaces only, and a table that would be too wide is
written as a list.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

_GAP = "  "
_MIN_PROSE = 24
"""Smallest width of a column whose text is broken into lines, if the text is longer."""

_USUAL_WIDTH = 80
"""Width of a terminal that does not tell its own."""


def get_width(stream: TextIO) -> int | None:
    """Return the number of columns to write to a stream: COLUMNS, else those of its terminal.

    Returns:
        The number, or None where lines may have any length: in a file or a pipe.
    """
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return int(columns)
    try:
        return os.get_terminal_size(stream.fileno()).columns or _USUAL_WIDTH
    except (OSError, ValueError):  # no terminal, or a stream without a file
        return None


def wrap(text: str | os.PathLike[str], width: int | None, *, indent: str = "") -> list[str]:
    """Return a text as lines that are broken at spaces; a path stays whole.

    Args:
        text: The text.
        width: Maximum length of a line, which a single long word exceeds; None for one line.
        indent: Begins every line but the first.
    """
    return _fill([], _split(text), width, indent=indent) or [""]


def format_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    width: int | None = None,
    numbers_from: int = 1,
    prose: Collection[str] = (),
) -> list[str]:
    """Return a table as lines; as a list, one block per row, where it does not fit.

    Args:
        columns: The headings.
        rows: One sequence of cells per row.
        width: Maximum length of a line; None for any.
        numbers_from: Columns from this one on are aligned to the right.
        prose: Headings of the columns whose text may be broken into lines; the others stay whole.
    """
    widths = _choose_widths(columns, rows, width=width, prose=prose)
    if widths is None:
        return format_list(columns, rows, width=width, prose=prose)
    lines: list[str] = []
    for row in (columns, *rows):
        lines += _format_row(row, widths, numbers_from=numbers_from)
        if row is columns:
            lines.append("-" * (sum(widths) + len(_GAP) * (len(widths) - 1)))
    return lines


def format_list(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    width: int | None = None,
    prose: Collection[str] = (),
) -> list[str]:
    """Return the rows of a table as blocks of "name: value"; cells without text are left out.

    Args:
        columns: The headings.
        rows: One sequence of cells per row.
        width: Maximum length of a line; None for any.
        prose: As of `format_table`.
    """
    lines: list[str] = []
    for row in rows:
        begin = ""
        for name, cell in zip(columns, row, strict=True):
            words = cell.split() if name in prose else [cell] if cell else []
            if words:
                lines += _fill([f"{begin}{name}:"], words, width, indent=begin + _GAP)
                begin = _GAP
    return lines


def format_facts(
    facts: Mapping[str, str | os.PathLike[str]], *, width: int | None = None
) -> list[str]:
    """Return names and values as lines in two columns; as "name: value" where that is too narrow.

    Args:
        facts: The values by name; a path stays whole.
        width: Maximum length of a line; None for any.
    """
    column = max(map(_measure, facts), default=0) + len(_GAP)
    room = width - column if width else None
    lines: list[str] = []
    for name, value in facts.items():
        if room is not None and room < _MIN_PROSE:
            lines += _fill([f"{name}:"], _split(value), width, indent=_GAP)
            continue
        first, *rest = wrap(value, room)
        if room is not None and max(map(_measure, (first, *rest))) > room:
            below = wrap(value, room + column - 2 * len(_GAP))
            lines += [name, *(2 * _GAP + line for line in below)]
        else:
            lines += [_pad(name, column) + first, *(" " * column + line for line in rest)]
    return [line.rstrip() for line in lines]


def _choose_widths(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    width: int | None,
    prose: Collection[str],
) -> list[int] | None:
    """Return the width of each column, or None if the table does not fit."""
    cells = list(zip(columns, *rows, strict=True))
    natural = [max(map(_measure, column)) for column in cells]
    excess = sum(natural) + len(_GAP) * (len(columns) - 1) - width if width else 0
    if excess <= 0:
        return natural
    smallest = [
        min(full, max(_MIN_PROSE, *(_measure(word) for cell in column for word in _split(cell))))
        if column[0] in prose
        else full
        for full, column in zip(natural, cells, strict=True)
    ]
    slack = sum(natural) - sum(smallest)
    if slack < excess:
        return None
    shrunk = []
    for full, least in zip(natural, smallest, strict=True):  # each gives in proportion to its slack
        given = -(-excess * (full - least) // slack) if slack else 0
        shrunk.append(full - given)
        excess, slack = excess - given, slack - (full - least)
    return shrunk


def _format_row(row: Sequence[str], widths: Sequence[int], *, numbers_from: int) -> list[str]:
    """Return a row of a table as one or more lines."""
    wrapped = [
        [cell] if _measure(cell) <= width else wrap(cell, width)
        for cell, width in zip(row, widths, strict=True)
    ]
    lines = []
    for number in range(max(map(len, wrapped))):
        cells = [
            _pad(parts[number] if number < len(parts) else "", width, right=index >= numbers_from)
            for index, (parts, width) in enumerate(zip(wrapped, widths, strict=True))
        ]
        lines.append(_GAP.join(cells).rstrip())
    return lines


def _fill(lines: list[str], words: Iterable[str], width: int | None, *, indent: str) -> list[str]:
    """Append words to the last of some lines, and further lines where they do not fit."""
    for word in words:
        if lines and (width is None or _measure(lines[-1]) + 1 + _measure(word) <= width):
            lines[-1] += f" {word}"
        else:
            lines.append(f"{indent if lines else ''}{word}")
    return lines


def _split(text: str | os.PathLike[str]) -> list[str]:
    return text.split() if isinstance(text, str) else [os.fspath(text)]


def _pad(text: str, width: int, *, right: bool = False) -> str:
    space = " " * (width - _measure(text))
    return space + text if right else text + space


def _measure(text: str) -> int:
    """Return the number of columns that a text takes on a terminal."""
    if text.isascii():
        return len(text)
    import unicodedata

    return sum(
        0 if unicodedata.combining(each) else 1 + (unicodedata.east_asian_width(each) in "WF")
        for each in text
    )
