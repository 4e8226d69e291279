"""Content of a folder, here or in a bucket, without what is hidden or made by a desktop."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from edgeemo.bulk.bucket_path import BucketPath
from edgeemo.errors import DatasetError
from edgeemo.imaging.suffixes import is_ignored

if TYPE_CHECKING:
    from pathlib import Path


def list_folders(folder: Path) -> list[str]:
    """Return the names of the sub-folders that are not ignored, sorted.

    Raises:
        DatasetError: If the folder cannot be read, or a name cannot be printed.
    """
    names = [name for name in list_entries(folder) if (folder / name).is_dir()]
    for name in names:
        if not name.isprintable():  # nor is invalid text
            raise DatasetError(f"{folder}: rename the folder {name!r}: it cannot be printed")
    return names


def list_entries(folder: Path) -> list[str]:
    """Return the names of the files and folders that are not ignored, sorted.

    Raises:
        DatasetError: If the folder cannot be read.
    """
    try:
        is_here = not isinstance(folder, BucketPath)
        names = os.listdir(folder) if is_here else [path.name for path in folder.iterdir()]  # noqa: PTH208
        return sorted(name for name in names if not is_ignored(name))
    except OSError as error:
        raise DatasetError(f"{folder}: cannot be read: {error.strerror}") from None
