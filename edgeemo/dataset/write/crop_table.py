"""``crop.csv``: the outcome of cropping for each image, and the totals."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Literal, get_args

from edgeemo.dataset.ingest.judge import NO_FACE
from edgeemo.model.tables import SPLITS
from edgeemo.utils.csv_text import write_records

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from edgeemo.dataset.ingest.find import LabelledFile

CROP_CSV = "crop.csv"
"""Table of the outcome for each image; its columns are the attributes of `CropRow`."""

ONE_FACE, SEVERAL_FACES = "cropped", "several-faces"

CropCount = Literal["images", "one_face", "several_faces", "no_face", "unusable", "crops"]
CROP_COUNTS: tuple[CropCount, ...] = get_args(CropCount)
"""The counts per class."""


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


def write_rows(path: Path, rows: Iterable[CropRow]) -> None:
    """Write ``crop.csv``."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        write_records(stream, [field.name for field in fields(CropRow)], map(asdict, rows))


def count_rows(
    files: Sequence[LabelledFile], results: Sequence[Sequence[CropRow]], labels: Sequence[str]
) -> dict[str, dict[str, dict[CropCount, int]]]:
    """Count the outcomes of cropping a folder.

    Args:
        files: The images.
        results: The rows of each image, at least one.
        labels: The classes, in the required order.

    Returns:
        The counts per split ("all" without splits) and class.
    """
    named: dict[str, CropCount] = {
        ONE_FACE: "one_face",
        SEVERAL_FACES: "several_faces",
        NO_FACE: "no_face",
    }
    counted: dict[tuple[str, str], Counter[CropCount]] = {}
    for file, rows in zip(files, results, strict=True):
        counts = counted.setdefault((file.split or "all", file.label), Counter())
        counts["images"] += 1
        counts[named.get(rows[0].outcome, "unusable")] += 1
        counts["crops"] += sum(bool(row.crop) for row in rows)
    return {
        split: {
            label: {group: counted[split, label][group] for group in CROP_COUNTS}
            for label in labels
            if (split, label) in counted
        }
        for split in ("all", *SPLITS)
        if any(one == split for one, _ in counted)
    }
