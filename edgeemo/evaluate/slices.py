"""Slices of the images: by sub-folder, or by a column of a CSV table."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.errors import DatasetError
from edgeemo.evaluate.quality import measure_quality
from edgeemo.evaluate.report import Slice
from edgeemo.utils.csv_text import read_rows
from edgeemo.utils.paths import convert_paths
from edgeemo.utils.suggest import describe_unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from edgeemo.evaluate.labelled import LabelledImage
    from edgeemo.evaluate.outcome import Outcome

FOLDER = "folder"
"""The slices by sub-folder of the class folders."""

UNNAMED = "(none)"
"""The slice of the images without a sub-folder, without a row, or with an empty cell."""

MAX_SLICES = 50
"""Largest number of slices."""

_FILE_COLUMNS = ("path", "file", "image", "filename", "name")
_QUARTERS = 4


@dataclass(frozen=True)
class SliceBy:
    """What the images are sliced by.

    Attributes:
        table: A CSV table with a row per image; None slices by sub-folder.
        column: The column of the table whose values are the slices.
    """

    table: Path | None = None
    column: str = ""

    def __post_init__(self) -> None:
        convert_paths(self, "table")

    @classmethod
    def parse(cls, text: str) -> SliceBy:
        """Return what a text names: "folder", or "FILE.csv:COLUMN".

        Raises:
            ValueError: If it is neither.
        """
        if text == FOLDER:
            return cls()
        name, colon, column = text.rpartition(":")
        if not (colon and name and column):
            raise ValueError(
                "must be folder, for the sub-folders of the classes, or FILE.csv:COLUMN, not "
                f"{text!r}"
            )
        return cls(Path(name), column)


def make_slicer(by: SliceBy, images: Sequence[LabelledImage]) -> Callable[[LabelledImage], str]:
    """Return a function that names the slice of an image.

    A column of more than `MAX_SLICES` different values is cut into quarters of the images if they
    are all numbers.

    Args:
        by: What to slice by.
        images: All images.

    Raises:
        DatasetError: If the table cannot be read, has no such column or no column of file names,
            names none of the images, or there are more than `MAX_SLICES` slices.
    """
    if by.table is None:
        values = {image.path: _find_subfolder(image) for image in images}
        if set(values.values()) == {UNNAMED}:
            raise DatasetError("--slice folder: the class folders have no sub-folders")
    else:
        values = _match_rows(_read_table(by.table, by.column), images, by.table)
        if len(set(values.values())) > MAX_SLICES:
            values = _cut_into_quarters(values, by)
    if len(set(values.values())) > MAX_SLICES:
        raise DatasetError(f"more than {MAX_SLICES} sub-folders; slice by a column of a CSV table")
    return lambda image: values.get(image.path, UNNAMED)


def measure_slices(
    outcomes: Sequence[Outcome], slicer: Callable[[LabelledImage], str]
) -> tuple[Slice, ...]:
    """Return the quality on each slice, the lowest accuracy first.

    Args:
        outcomes: Outcomes of readable images of known classes.
        slicer: Result of `make_slicer`.
    """
    groups: defaultdict[str, list[Outcome]] = defaultdict(list)
    for each in outcomes:
        groups[slicer(each.image)].append(each)
    overall = measure_quality(outcomes).accuracy.value
    found = [(name, measure_quality(group)) for name, group in groups.items()]
    found.sort(key=lambda pair: (pair[1].accuracy.value, pair[0]))
    return tuple(
        Slice(name=name, quality=quality, is_worse=quality.accuracy.high < overall)
        for name, quality in found
    )


def _find_subfolder(image: LabelledImage) -> str:
    first, slash, _ = image.within.partition("/")
    return first if slash else UNNAMED


def _read_table(path: Path, column: str) -> dict[str, str]:
    """Return the value of a column by the file that a row names."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            rows = read_rows(stream)
            names = next(rows, [])
            if column not in names:
                raise DatasetError(f"{path}: {describe_unknown('column', column, names)}")
            file = next((name for name in _FILE_COLUMNS if name in names), None)
            if file is None:
                raise DatasetError(
                    f"{path}: no column of file names; call it {' or '.join(_FILE_COLUMNS[:2])}"
                )
            at, value = names.index(file), names.index(column)
            return {row[at].replace("\\", "/"): row[value] for row in rows if row}
    except (OSError, UnicodeDecodeError, csv.Error, IndexError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a CSV table"
        raise DatasetError(f"{path}: {reason}") from None


def _match_rows(
    rows: Mapping[str, str], images: Sequence[LabelledImage], table: Path
) -> dict[str, str]:
    """Return the value of each image by the row of its path, its end, or its unique name."""
    names = Counter(PurePosixPath(image.path).name for image in images)
    found = {}
    for image in images:
        name = PurePosixPath(image.path).name
        keys = [image.path, f"{image.folder}/{image.within}", image.within]
        keys += [name] if names[name] == 1 else []
        row = next((key for key in keys if key in rows), None)
        found[image.path] = (rows[row] if row is not None else "") or UNNAMED
    if all(value == UNNAMED for value in found.values()):
        raise DatasetError(f"{table}: names none of the images; write paths as in {images[0].path}")
    return found


def _cut_into_quarters(values: Mapping[str, str], by: SliceBy) -> dict[str, str]:
    """Return slices of a quarter of the images each, named by the range of their numbers."""
    try:
        numbers = {path: float(text) for path, text in values.items() if text != UNNAMED}
    except ValueError:
        raise DatasetError(
            f"{by.table}: column {by.column} has more than {MAX_SLICES} different values, which "
            "are not all numbers"
        ) from None
    ordered = np.sort(list(numbers.values()))
    parts = [part for part in np.array_split(ordered, _QUARTERS) if part.size]
    ends = [float(part[-1]) for part in parts]
    texts = [f"{part[0]:g} to {part[-1]:g}" for part in parts]
    found = {
        path: texts[next(k for k, end in enumerate(ends) if number <= end)]
        for path, number in numbers.items()
    }
    return {path: found.get(path, UNNAMED) for path in values}
