"""The path of each crop, which never leads out of the new folder. Standard library only."""

from __future__ import annotations

import pickle
import zlib
from dataclasses import dataclass
from itertools import chain
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from edgeemo.bulk.work import Items
from edgeemo.dataset.write.placement import find_free_path
from edgeemo.utils.file_names import fit_name, make_safe_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from edgeemo.dataset.ingest.find import LabelledFile

_SUFFIX = ".png"
_CHUNK = 4096


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


class PlannedCrops(Items[PlannedCrop]):
    """Images with the paths of their crops, which are found anew each time, to save memory.

    A pickle of it is small, and stays packed where it is loaded.

    Args:
        files: As of `plan_crops`.
        by_label: As of `plan_crops`.
    """

    def __init__(self, files: Sequence[LabelledFile], *, by_label: bool) -> None:
        self._files, self._by_label, self._length = files, by_label, len(files)
        self._packed: tuple[bytes, ...] = ()

    def __len__(self) -> int:
        return self._length

    def __getstate__(self) -> dict[str, Any]:
        starts = range(0, len(self._files), _CHUNK)
        packed = self._packed or tuple(
            zlib.compress(pickle.dumps(self._files[start : start + _CHUNK]), 1) for start in starts
        )
        return {**vars(self), "_files": (), "_packed": packed}

    def __iter__(self) -> Iterator[PlannedCrop]:
        files = self._files or chain.from_iterable(
            pickle.loads(zlib.decompress(chunk)) for chunk in self._packed
        )
        return plan_crops(files, by_label=self._by_label)


def plan_crops(files: Iterable[LabelledFile], *, by_label: bool = False) -> Iterator[PlannedCrop]:
    """Yield each image with the path of its crop: that of the image, if it is free and safe.

    Args:
        files: The images, by their paths or by keys of a bucket, which may be any text.
        by_label: Whether the folders of the images are replaced by split and class.
    """
    taken: set[str] = set()
    known: dict[str, str] = {}
    for file in files:
        folder, _, name = file.path.rpartition("/")
        if by_label:
            folder = f"{file.split or ''}/{file.label}"
        safe = known.get(folder)
        if safe is None:
            safe = known[folder] = _make_safe_folder(folder)
        path = f"{safe}{fit_name(_find_stem(make_safe_name(name)), _SUFFIX)}"
        if path.lower() in taken:
            path = find_free_path(PurePosixPath(path), taken)
        taken.add(path.lower())
        yield PlannedCrop(file, path)


def _make_safe_folder(folder: str) -> str:
    """Return a relative path, and a slash unless it is empty.

    No folder has the suffix of a crop, so that none has the path of one.
    """
    parts = [part for part in folder.split("/") if part not in ("", ".")]
    return "".join(
        f"{make_safe_name(f'{part}_' if part.lower().endswith(_SUFFIX) else part)}/"
        for part in parts
    )


def _find_stem(name: str) -> str:
    dot = name.rfind(".")
    return name[:dot] if 0 < dot < len(name) - 1 else name
