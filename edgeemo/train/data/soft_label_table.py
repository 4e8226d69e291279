"""Read a CSV file of soft labels."""

from __future__ import annotations

import csv
import hashlib
import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.errors import DatasetError
from edgeemo.utils.csv_text import read_rows
from edgeemo.utils.text import plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_PATH_COLUMNS = ("path", "file")


@dataclass(frozen=True, kw_only=True)
class SoftLabelTable:
    """The content of a CSV file of soft labels.

    Attributes:
        file: The file.
        sha256: SHA-256 of the file, hexadecimal.
        labels: The classes, K.
        others: Columns of numbers that are no classes: answers that are not trained on.
        ignored: Columns that hold something else.
        lines: Row number to line of the file.
        paths: Row number to path of the image, as the file has it.
        answers: (R, K + others) float64, at least 0 and not all 0 in a row.
    """

    file: Path
    sha256: str
    labels: tuple[str, ...]
    others: tuple[str, ...]
    ignored: tuple[str, ...]
    lines: tuple[int, ...]
    paths: tuple[str, ...]
    answers: NDArray[np.float64]


def read_soft_labels(file: Path, *, labels: Sequence[str]) -> SoftLabelTable:
    """Read a CSV file of soft labels.

    A column `path` (or `file`) names the image, and there is a column for each class. Other columns
    of numbers of at least 0 are answers, too, which are not trained on.

    Args:
        file: The file.
        labels: The classes, in the order of the network's outputs.

    Raises:
        DatasetError: If it cannot be read, lacks a column, or a row is wrong; the text names the
            line.
    """
    try:
        content = file.read_bytes()
        rows = list(_number_rows(io.StringIO(content.decode("utf-8-sig"), newline="")))
    except OSError as error:
        raise DatasetError(f"{file}: {(error.strerror or str(error)).lower()}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{file}: not CSV ({error})") from None
    if not rows:
        raise DatasetError(f"{file}: empty; its first line must name the columns")
    (_, header), *body = rows
    named = _find_path_column(file, header, labels)
    for line, row in body:
        if len(row) != len(header):
            raise DatasetError(
                f"{file}: line {line}: {plural(len(row), 'value')} for {len(header)} columns"
            )
    columns = {name: [row[at] for _, row in body] for at, name in enumerate(header)}
    paths = columns.pop(header[named])
    numbers = {name: _read_numbers(texts) for name, texts in columns.items()}
    lines = tuple(line for line, _ in body)
    for label in labels:
        _check_numbers(file, label, numbers[label], texts=columns[label], lines=lines)
    others = tuple(
        name for name, read in numbers.items() if name not in labels and _are_answers(read)
    )
    answers = np.array([numbers[name] for name in (*labels, *others)], np.float64).T
    for line, row_answers in zip(lines, answers, strict=True):
        if not row_answers.any():
            raise DatasetError(f"{file}: line {line}: all answers are 0; delete the row")
    return SoftLabelTable(
        file=file,
        sha256=hashlib.sha256(content).hexdigest(),
        labels=tuple(labels),
        others=others,
        ignored=tuple(name for name in numbers if name not in (*labels, *others)),
        lines=lines,
        paths=tuple(path.removeprefix("./") for path in paths),
        answers=answers.reshape(len(lines), len(labels) + len(others)),
    )


def _number_rows(text: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not empty, each with the number of its line, from 1."""
    lines = iter(enumerate(text, 1))
    last = 0

    def feed() -> Iterator[str]:
        nonlocal last
        for number, line in lines:
            last = number
            yield line

    for row in read_rows(feed()):
        if row:
            yield last, [cell.strip() for cell in row]


def _find_path_column(file: Path, header: Sequence[str], labels: Sequence[str]) -> int:
    """Return the place of the column of paths, once every column that is needed is there once."""
    shown = ", ".join(header)
    for name in header:
        if header.count(name) > 1:
            raise DatasetError(f"{file}: line 1: two columns are called {name!r}")
    named = [name for name in _PATH_COLUMNS if name in header]
    if not named:
        raise DatasetError(f"{file}: line 1: no column 'path' or 'file'; the columns are {shown}")
    missing = [label for label in labels if label not in header or label == named[0]]
    if missing:
        raise DatasetError(
            f"{file}: line 1: no column for {', '.join(missing)}; the columns are {shown}; name "
            "them as the classes"
        )
    return header.index(named[0])


def _read_numbers(texts: Iterable[str]) -> list[float]:
    """Return the texts as numbers, NaN for what is none."""
    read = []
    for text in texts:
        try:
            read.append(float(text))
        except ValueError:
            read.append(math.nan)
    return read


def _are_answers(numbers: Iterable[float]) -> bool:
    return all(math.isfinite(number) and number >= 0 for number in numbers)


def _check_numbers(
    file: Path,
    name: str,
    numbers: Sequence[float],
    *,
    texts: Sequence[str],
    lines: Sequence[int],
) -> None:
    """Refuse what is no number of at least 0 in the column of a class."""
    for number, text, line in zip(numbers, texts, lines, strict=True):
        if not (math.isfinite(number) and number >= 0):
            raise DatasetError(
                f"{file}: line {line}: {name} must be a number of at least 0, not {text!r}"
            )
