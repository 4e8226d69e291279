"""Content of a folder, here or in a bucket, without what is hidden or made by a desktop."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from edgeemo.bulk.bucket_path import BucketPath
from edgeemo.errors import DatasetError
from edgeemo.imaging.suffixes import is_ignored

if TYPE_CHECKING:
    from collections.abc import Iterator
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


def walk_files(folder: Path) -> Iterator[Path]:
    """Yield every file below a folder that is not ignored, in sorted order.

    Pipes, sockets and devices are passed over; a link to a file that is not there counts as a file,
    which will be reported.

    Raises:
        DatasetError: If a folder cannot be read, so that no image is missing unnoticed.
    """
    if isinstance(folder, BucketPath):
        yield from _walk_bucket(folder)
        return
    for name in list_entries(folder):
        path = folder / name
        kind = _find_kind(path)
        if stat.S_ISREG(kind):
            yield path
        elif stat.S_ISDIR(kind) and not path.is_symlink():  # which may lead back up, for ever
            yield from walk_files(path)


def _walk_bucket(folder: BucketPath) -> Iterator[Path]:
    """Yield the files below a folder of a bucket, by one listing of each."""
    listing = folder.list_folder()
    for name in sorted({*listing.files, *listing.folders}):
        if is_ignored(name):
            continue
        if name in listing.files:
            yield folder / name
        if name in listing.folders:
            yield from _walk_bucket(folder / name)


def _find_kind(path: Path) -> int:
    """Return the mode of what a path leads to; that of a file where it leads nowhere."""
    try:
        return path.stat().st_mode
    except OSError:
        return stat.S_IFREG
