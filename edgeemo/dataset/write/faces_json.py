"""``faces.json``: the face settings with which the images of a folder were cropped."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from edgeemo.bulk.bucket_path import make_path
from edgeemo.dataset.ingest.class_folders import find_top_folder
from edgeemo.dataset.write.placement import check_finished
from edgeemo.errors import DatasetError, SpecError
from edgeemo.model.detector_file import FACE_MODEL
from edgeemo.model.face_settings import FaceSettings, parse_settings
from edgeemo.utils.strict_json import parse_json

if TYPE_CHECKING:
    from pathlib import Path

    from edgeemo.model.detector_file import DetectorFile
    from edgeemo.utils.paths import StrPath

FACES_JSON = "faces.json"
"""Name of the file, which is beside the class or split folders."""


def write_faces_json(folder: Path, settings: FaceSettings, file: DetectorFile | None) -> None:
    """Write ``faces.json``, and the detector's own file if it has one.

    Args:
        folder: Folder to write into.
        settings: The face settings; they are written as those of cropped images.
        file: The detector's own file, if it has one.
    """
    content = asdict(replace(settings, cropped=True))
    (folder / FACES_JSON).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    if file is not None:
        (folder / FACE_MODEL).write_bytes(file.content)


def read_faces_json(root: StrPath) -> tuple[FaceSettings, Path] | None:
    """Return the face settings of a folder of crops, and the folder of the file.

    Args:
        root: The data folder, or one that has nothing else in it.

    Returns:
        None without the file.

    Raises:
        DatasetError: If the file is malformed, the folder cannot be read, or it is not complete.
    """
    root = make_path(root)
    for folder in (root, find_top_folder(root)):
        check_finished(folder)
        path = folder / FACES_JSON
        if path.is_file():
            return _read(path), folder
    return None


def _read(path: Path) -> FaceSettings:
    try:
        return parse_settings(parse_json(path.read_bytes()))
    except (OSError, ValueError, TypeError, SpecError) as error:
        raise DatasetError(
            f"{path}: not the face settings of cropped images ({error}); crop again, or remove it"
        ) from None
