"""Files copied or linked into a new folder, and the marker of such folders.

Standard library only.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from edgeemo.errors import DatasetError
from edgeemo.utils.file_names import fit_name
from edgeemo.utils.files import check_writable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import PurePosixPath

    from edgeemo.utils.paths import StrPath
    from edgeemo.utils.progress import Progress

LinkMode = Literal["copy", "hard", "symlink"]
LINK_MODES: tuple[LinkMode, ...] = get_args(LinkMode)


DATA_MARKER = ".edgeemo-data.json"
"""File that marks a folder as written by edgeemo, so that edgeemo may replace it."""

MEANWHILE = ".crop"
"""Folder in a folder of crops until it is complete: finished rows, and files that are written."""


def check_destination(root: StrPath | None, out: StrPath, *, marker: str, replace: bool) -> None:
    """Check that a folder may be written, before any slow work.

    Args:
        root: Folder that must not change; None without one.
        out: Folder to write.
        marker: Name of the file that marks a folder as written by edgeemo.
        replace: Whether to replace a folder with that file.

    Raises:
        DatasetError: If it may not be written.
    """
    out = Path(out)
    if root is not None:
        old, new = Path(root).resolve(), out.resolve()
        if new.is_relative_to(old) or old.is_relative_to(new):
            raise DatasetError(f"{out}: must be neither inside nor around {root}")
    if not os.path.lexists(out):
        _check_writable(out)
        return
    if not replace:
        raise DatasetError(f"{out}: exists already; --force replaces what edgeemo wrote itself")
    if out.is_symlink() or not (out / marker).is_file():
        raise DatasetError(f"{out}: not written by edgeemo, so it is not replaced; remove it first")


def check_finished(folder: Path) -> None:
    """Refuse a folder of crops that is not complete, such as a copy from a bucket.

    Raises:
        DatasetError: If it is not.
    """
    if (folder / MEANWHILE).exists() and not (folder / DATA_MARKER).exists():
        raise DatasetError(
            f"{folder}: not all images are cropped yet; finish it with 'edgeemo data crop --resume'"
        )


def _check_writable(out: Path) -> None:
    try:
        check_writable(out)
    except OSError as error:
        raise DatasetError(
            f"{out}: cannot be made in {error.filename}: {(error.strerror or str(error)).lower()}"
        ) from None


def find_free_path(path: PurePosixPath, taken: set[str]) -> str:
    """Return a path, with a number after its name if it is taken, and add it to the taken ones.

    Args:
        path: The preferred path of a file.
        taken: Taken paths in lower case, since some file systems ignore the case.
    """
    number, free = 1, path.with_name(fit_name(path.stem, path.suffix))
    while str(free).lower() in taken:
        number += 1
        free = path.with_name(fit_name(path.stem, f"-{number}{path.suffix}"))
    taken.add(str(free).lower())
    return str(free)


def write_marker(folder: Path, kind: str) -> None:
    """Write `DATA_MARKER` into a folder.

    Args:
        folder: The folder.
        kind: The subcommand of ``edgeemo data`` that writes it.
    """
    content = {"made_by": "edgeemo data", "kind": kind}
    (folder / DATA_MARKER).write_text(json.dumps(content), encoding="utf-8")


def place_files(
    root: Path, folder: Path, paths: Mapping[str, str], *, link: LinkMode, progress: Progress
) -> None:
    """Copy or link files into a folder.

    Args:
        root: Folder of the files.
        folder: Folder to write; sub-folders are created.
        paths: New path of each file, relative to `folder`, by its path relative to `root`.
        link: How to place the files.
        progress: Receives the progress.

    Raises:
        DatasetError: If the disk is full, or a file cannot be copied or linked.
    """
    progress.stage("Writing the images", total=len(paths))
    if link == "copy":
        _require_space(root, folder, paths)
    for source, target in paths.items():
        (folder / target).parent.mkdir(parents=True, exist_ok=True)
        _place_file(root / source, folder / target, link=link)
        progress.advance()


def _place_file(source: Path, target: Path, *, link: LinkMode) -> None:
    try:
        if link == "copy":
            shutil.copyfile(source, target)
        elif link == "hard":
            os.link(source.resolve(), target)
        else:
            target.symlink_to(source.resolve())
    except OSError as error:
        if error.errno == errno.EXDEV:
            raise DatasetError(
                f"{source}: on another disk, which hard links cannot cross; use --link symlink"
            ) from None
        raise DatasetError(f"{source}: cannot be copied or linked: {error.strerror}") from None


def _require_space(root: Path, folder: Path, paths: Mapping[str, str]) -> None:
    needed = sum((root / source).stat().st_size for source in paths)
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise DatasetError(
            f"{folder.parent}: {needed / 1e6:,.0f} MB needed, {free / 1e6:,.0f} MB free; "
            "free some space, or use --link symlink"
        )
