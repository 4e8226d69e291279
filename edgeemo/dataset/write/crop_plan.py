"""The path of each crop, which never leads out of the new folder. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from edgeemo.dataset.write.placement import find_free_path
from edgeemo.utils.file_names import make_safe_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from edgeemo.dataset.ingest.find import LabelledFile

_SUFFIX = ".png"


@dataclass(frozen=True, slots=True)
class PlannedCrop:
    """An image and the path of its crop.

    Attributes:
        image: The image.
        crop: Path of the crop relative to the new folder, with forward slashes; of several crops
            it is numbered.
    """

    image: LabelledFile
    crop: str

    def __str__(self) -> str:
        return self.image.path


def plan_crops(files: Iterable[LabelledFile]) -> Iterator[PlannedCrop]:
    """Yield each image with the path of its crop: that of the image, if it is free and safe.

    Args:
        files: The images, by their paths or by keys of a bucket, which may be any text.
    """
    taken: set[str] = set()
    for file in files:
        yield PlannedCrop(file, find_free_path(_make_safe(file.path), taken))


def _make_safe(path: str) -> PurePosixPath:
    """Return a relative path without "..", hidden names, control characters and drives.

    No folder has the suffix of a crop, so that none has the path of one.
    """
    *folders, name = [part for part in path.split("/") if part not in ("", ".")] or ["_"]
    parts = [f"{part}_" if part.lower().endswith(_SUFFIX) else part for part in folders]
    return PurePosixPath(*map(make_safe_name, [*parts, name])).with_suffix(_SUFFIX)
