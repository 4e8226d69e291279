"""Put files into a new folder: copied, or linked to where they lie. Standard library only."""

from __future__ import annotations

import errno
import os
import shutil
from typing import TYPE_CHECKING, Literal, get_args

from edgeemo.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from edgeemo.utils.progress import Progress

LinkMode = Literal["copy", "hard", "symlink"]
LINK_MODES: tuple[LinkMode, ...] = get_args(LinkMode)


def check_destination(root: Path | None, out: Path, *, marker: str, replace: bool) -> None:
    """Make sure that a folder may be made, before the work begins.

    Args:
        root: The folder that must stay untouched.
        out: The folder to make.
        marker: The file in it that says that edgeemo made it.
        replace: Whether it may give way if so.

    Raises:
        DatasetError: If it may not be made.
    """
    if root is not None:
        old, new = root.resolve(), out.resolve()
        if new.is_relative_to(old) or old.is_relative_to(new):
            raise DatasetError(f"{out}: must lie beside {root}, not within it or around it")
    if not os.path.lexists(out):
        return
    if not replace:
        raise DatasetError(f"{out}: exists already; --force replaces what edgeemo wrote itself")
    if out.is_symlink() or not (out / marker).is_file():
        raise DatasetError(f"{out}: not written by edgeemo, so it is not replaced; remove it first")


def place_files(
    root: Path, folder: Path, places: Mapping[str, str], *, link: LinkMode, progress: Progress
) -> None:
    """Copy or link files into a folder.

    Args:
        root: Where they lie.
        folder: Where they go; sub-folders are made.
        places: For each file, relative to `root`, its place relative to `folder`.
        link: How.
        progress: Who is told of each file.

    Raises:
        DatasetError: If there is no room, or a file cannot be copied or linked.
    """
    progress.stage("Writing the images", total=len(places))
    if link == "copy":
        _require_room(root, folder, places)
    for source, target in places.items():
        (folder / target).parent.mkdir(parents=True, exist_ok=True)
        _place(root / source, folder / target, link=link)
        progress.advance()


def _place(source: Path, target: Path, *, link: LinkMode) -> None:
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
                f"{source}: on another disk, where no hard link can lead; use --link symlink"
            ) from None
        raise DatasetError(f"{source}: cannot be written anew: {error.strerror}") from None


def _require_room(root: Path, folder: Path, places: Mapping[str, str]) -> None:
    needed = sum((root / source).stat().st_size for source in places)
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise DatasetError(
            f"{folder.parent}: {needed / 1e6:,.0f} MB do not fit into {free / 1e6:,.0f} MB; "
            "make room, or use --link symlink"
        )
