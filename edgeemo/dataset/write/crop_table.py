"""``crop.csv``: the outcome of cropping for each image, and the totals."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, TextIO, get_args

from edgeemo.dataset.ingest.judge import NO_FACE
from edgeemo.model.tables import SPLITS
from edgeemo.utils.csv_text import write_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.dataset.ingest.find import LabelledFile

CROP_CSV = "crop.csv"
"""Table of the outcome for each image; its columns are the attributes of `CropRow`."""

ONE_FACE, SEVERAL_FACES = "cropped", "several-faces"

CropCount = Literal["images", "one_face", "several_faces", "no_face", "unusable", "crops"]
CROP_COUNTS: tuple[CropCount, ...] = get_args(CropCount)
"""The counts per class."""

_COUNTED: dict[str, CropCount] = {
    ONE_FACE: "one_face",
    SEVERAL_FACES: "several_faces",
    NO_FACE: "no_face",
}


@dataclass(frozen=True, kw_only=True)
class CropRow:
    """The outcome for one image, or for one of its faces.

    Attributes:
        image: Path relative to the old folder, with forward slashes.
        crop: Path relative to the new folder; empty without a crop.
        outcome: "cropped", "several-faces" (the largest or each was cropped), "no-face", or the
            reason why the image is unusable, such as "damaged".
        faces: Number of detected faces.
        left: Left edge of the face's bounding box, without the margin, in pixels of the whole
            upright image; None without a face.
        top: Top edge of the bounding box; None without a face.
        side: Side of the bounding box, which is square; None without a face.
        detail: The outcome in words.
    """

    image: str
    crop: str = ""
    outcome: str
    faces: int = 0
    left: int | None = None
    top: int | None = None
    side: int | None = None
    detail: str = ""


class CropTable:
    """Writes ``crop.csv`` row by row, and counts.

    Args:
        stream: Stream of the file, opened with ``newline=""``.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._columns = [field.name for field in fields(CropRow)]
        self._counted: dict[tuple[str, str], Counter[CropCount]] = {}
        write_rows(stream, [self._columns])

    def add(self, file: LabelledFile, rows: Sequence[CropRow]) -> None:
        """Write the rows of an image, at least one."""
        write_rows(self._stream, ([getattr(row, name) for name in self._columns] for row in rows))
        counts = self._counted.setdefault((file.split or "all", file.label), Counter())
        counts["images"] += 1
        counts[_COUNTED.get(rows[0].outcome, "unusable")] += 1
        counts["crops"] += sum(bool(row.crop) for row in rows)

    def count_crops(self) -> int:
        """Return the number of crops."""
        return sum(counts["crops"] for counts in self._counted.values())

    def count(self, labels: Sequence[str]) -> dict[str, dict[str, dict[CropCount, int]]]:
        """Return the counts per split ("all" without splits) and class.

        Args:
            labels: The classes, in the required order.
        """
        counted = self._counted
        return {
            split: {
                label: {group: counted[split, label][group] for group in CROP_COUNTS}
                for label in labels
                if (split, label) in counted
            }
            for split in ("all", *SPLITS)
            if any(one == split for one, _ in counted)
        }


def to_table(results: Sequence[Sequence[CropRow]]) -> Any:
    """Return the rows of images as a `pyarrow.Table`.

    Its first column is the number of the face in its image, from 1; 0 without a crop.
    """
    import pyarrow

    rows = [
        {"face": number if row.crop else 0, **asdict(row)}
        for rows in results
        for number, row in enumerate(rows, 1)
    ]
    numbers = ("face", "faces", "left", "top", "side")
    columns = ["face", *(field.name for field in fields(CropRow))]
    schema = [(name, pyarrow.int32() if name in numbers else pyarrow.string()) for name in columns]
    return pyarrow.Table.from_pylist(rows, schema=pyarrow.schema(schema))


def from_table(table: Any) -> list[tuple[CropRow, ...]]:
    """Return the rows of each image of a table of `to_table`."""
    results: list[list[CropRow]] = []
    for row in table.to_pylist():
        if row.pop("face") <= 1:
            results.append([])
        results[-1].append(CropRow(**row))
    return [*map(tuple, results)]
