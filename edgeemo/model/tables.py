"""The tables of a model folder: images, excluded files, predictions of the reference model."""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from edgeemo.errors import ModelFolderError
from edgeemo.utils.csv_text import read_rows, write_records, write_rows
from edgeemo.utils.files import replacing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")

_Row = TypeVar("_Row")


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One labelled image.

    Attributes:
        path: Path relative to the data folder, with forward slashes.
        label: Class.
        split: "train", "validation" or "test".
        sha256: SHA-256 of the file, hexadecimal.
    """

    path: str
    label: str
    split: Split
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Rejected:
    """One excluded file.

    Attributes:
        path: Path relative to the data folder, with forward slashes.
        reason: Kind of reason, such as "blank" or "duplicate".
        detail: The reason in words.
    """

    path: str
    reason: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class ReferencePrediction:
    """The prediction of the reference model for one image of the test split.

    Attributes:
        sha256: SHA-256 of the image file, hexadecimal.
        path: Path relative to the data folder, with forward slashes.
        label: True class.
        scores: Probability of each label, in the order of the spec.
    """

    sha256: str
    path: str
    label: str
    scores: tuple[float, ...]


def write_samples(path: Path, samples: Iterable[Sample]) -> Path:
    """Write ``split.csv`` (path, label, split, sha256)."""
    return _write_csv(path, Sample, (asdict(sample) for sample in samples))


def write_rejected(path: Path, rejected: Iterable[Rejected]) -> Path:
    """Write ``rejected.csv`` (path, reason, detail)."""
    return _write_csv(path, Rejected, (asdict(row) for row in rejected))


def write_references(
    path: Path, references: Iterable[ReferencePrediction], *, labels: Sequence[str]
) -> Path:
    """Write ``reference.csv``: sha256, path, label and one column ``p(LABEL)`` per label.

    Nine digits per probability give the same float32 back.
    """
    with replacing(path) as partial, partial.open("w", newline="", encoding="utf-8") as stream:
        write_rows(stream, [["sha256", "path", "label", *(f"p({label})" for label in labels)]])
        write_rows(
            stream,
            (
                [row.sha256, row.path, row.label, *(f"{score:.9g}" for score in row.scores)]
                for row in references
            ),
        )
    return path


def read_samples(path: Path) -> list[Sample]:
    """Read ``split.csv``.

    Raises:
        ModelFolderError: If it is malformed.
    """
    return _read_csv(path, Sample)


def read_references(path: Path) -> list[ReferencePrediction]:
    """Read ``reference.csv``.

    Raises:
        ModelFolderError: If it is malformed.
    """
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            rows = read_rows(stream)
            next(rows)
            return [
                ReferencePrediction(
                    sha256=row[0], path=row[1], label=row[2], scores=tuple(map(float, row[3:]))
                )
                for row in rows
            ]
    except (ValueError, IndexError, StopIteration, csv.Error) as error:
        raise ModelFolderError(f"{path}: malformed ({error}); train or import again") from None


def _write_csv(path: Path, row_type: type, rows: Iterable[dict[str, Any]]) -> Path:
    with replacing(path) as partial, partial.open("w", newline="", encoding="utf-8") as stream:
        write_records(stream, [field.name for field in fields(row_type)], rows)
    return path


def _read_csv(path: Path, row_type: type[_Row]) -> list[_Row]:
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            rows = read_rows(stream)
            names = next(rows, [])
            return [row_type(**dict(zip(names, row, strict=True))) for row in rows if row]
    except (TypeError, ValueError, csv.Error) as error:
        raise ModelFolderError(f"{path}: malformed ({error}); train or import again") from None
