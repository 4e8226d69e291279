"""``crop.csv``: what became of each image whose faces were cropped, and that in numbers."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Literal, get_args

from edgeemo.dataset.ingest.judge import NO_FACE
from edgeemo.model.tables import SPLITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from edgeemo.dataset.ingest.find import LabelledFile

CROP_CSV = "crop.csv"
"""Table of what became of each image; its columns are the attributes of `CropRow`."""

ONE_FACE, SEVERAL_FACES = "cropped", "several-faces"

CropCount = Literal["images", "one_face", "several_faces", "no_face", "unusable", "crops"]
CROP_COUNTS: tuple[CropCount, ...] = get_args(CropCount)
"""What is counted."""


@dataclass(frozen=True, kw_only=True)
class CropRow:
    """What became of one image, or of one face of it.

    Attributes:
        image: Relative to the old folder, with forward slashes.
        crop: Relative to the new one; empty if nothing was written.
        outcome: "cropped", "several-faces" (the largest was, or each), "no-face", or why the
            image cannot be used, such as "damaged".
        faces: How many were found.
        left: Of the face's frame, without the margin, in pixels of the whole upright image; None
            without a face, like the next two.
        top: Likewise.
        side: Likewise; frames are square.
        detail: What exactly, in words.
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
        writer = csv.DictWriter(
            stream, [field.name for field in fields(CropRow)], lineterminator="\n"
        )
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)


def count_rows(
    files: Sequence[LabelledFile], results: Sequence[Sequence[CropRow]], labels: Sequence[str]
) -> dict[str, dict[str, dict[CropCount, int]]]:
    """What became of a folder's images, in numbers.

    Args:
        files: The images.
        results: For each of them its rows, at least one.
        labels: The classes, in the order wanted.

    Returns:
        Per split ("all" without splits) and class.
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
