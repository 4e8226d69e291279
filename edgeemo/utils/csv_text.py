"""CSV that a spreadsheet shows and never runs, and that comes back as it was.

A spreadsheet takes a cell that begins with one of ``= + - @``, a tab or a line end for a formula.
Such a text, unless it is a number, gets an apostrophe in front, as does a text that begins with
apostrophes and then one of those, so that reading can take exactly one away. Standard library only.
"""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_RUNS = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def write_rows(stream: TextIO, rows: Iterable[Sequence[object]]) -> None:
    """Write rows, each ended by a line feed.

    Args:
        stream: Text stream that was opened with ``newline=""``.
        rows: Cells: texts, numbers, or None for an empty cell.
    """
    plain = csv.writer(stream, lineterminator="\n")
    quoting_all = csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL)
    for row in rows:
        cells = [_protect(cell) for cell in row]
        # Before Python 3.13, csv leaves a carriage return bare, and reads it as the end of a row.
        bare = any(isinstance(cell, str) and "\r" in cell for cell in cells)
        (quoting_all if bare else plain).writerow(cells)


def write_records(
    stream: TextIO, columns: Sequence[str], records: Iterable[Mapping[str, object]]
) -> None:
    """Write the names of columns and then a row of each mapping, as `write_rows` does."""
    write_rows(stream, [columns])
    write_rows(stream, ([record.get(name) for name in columns] for record in records))


def to_line(cells: Iterable[object]) -> str:
    """Return one row without the line feed."""
    stream = io.StringIO()
    write_rows(stream, [list(cells)])
    return stream.getvalue().removesuffix("\n")


def read_rows(stream: Iterable[str]) -> Iterator[list[str]]:
    """Yield the rows of a file that `write_rows` wrote, the names of its columns first.

    Args:
        stream: Text stream that was opened with ``newline=""``, or its lines with their ends.

    Raises:
        csv.Error: If it is malformed.
    """
    for row in csv.reader(stream):
        yield [_restore(cell) for cell in row]


def _protect(cell: object) -> object:
    if isinstance(cell, str) and _RUNS.match(cell) and not _NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell


def _restore(cell: str) -> str:
    return cell[1:] if cell[:1] == "'" and _RUNS.match(cell) else cell
