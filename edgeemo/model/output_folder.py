"""The output folder: checked before the slow work, built under a hidden name, then renamed."""

from __future__ import annotations

import errno
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from edgeemo.errors import ModelFolderError, TrainingError
from edgeemo.model.folder import SPEC, ModelFolder
from edgeemo.utils.files import check_writable, is_being_made, new_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


def check_output_folder(out: Path, *, data: Iterable[Path], replace: bool) -> None:
    """Refuse an output folder that cannot be made, before any slow work.

    Args:
        out: The model folder to make.
        data: The folders and archives of images, to which nothing is ever written.
        replace: Whether to replace an existing model folder.

    Raises:
        ModelFolderError: If `out` exists and may not be replaced, is being made by another process,
            overlaps with the data, or cannot be written.
    """
    if os.path.lexists(out):
        if not replace:
            raise ModelFolderError(
                f"{out}: exists already; choose another --out, or replace it with --force"
            )
        if out.is_symlink() or not out.is_dir() or not _is_replaceable(out):
            raise ModelFolderError(f"{out}: not a model folder; --force does not replace it")
    if is_being_made(out):
        raise ModelFolderError(_describe_busy(out))
    resolved = out.resolve()
    for path in data:
        images = path.resolve()
        if resolved.is_relative_to(images) or images.is_relative_to(resolved):
            raise ModelFolderError(
                f"{out}: overlaps with the images in {path}; choose an --out outside them"
            )
    try:
        check_writable(out.parent)
    except OSError as error:
        raise ModelFolderError(_explain_error(error, out)) from None


@contextmanager
def build_folder(out: Path, *, replace: bool) -> Iterator[ModelFolder]:
    """Make a model folder under a hidden name, renamed when the block succeeds.

    Raises:
        ModelFolderError: If it cannot be written: no permission, a full disk, or another process
            made it first.
    """
    try:
        with new_folder(out, replace=replace) as partial:
            yield ModelFolder(partial)
    except OSError as error:
        raise ModelFolderError(_explain_error(error, out)) from error


def make_timestamp() -> str:
    """Return the time, ISO 8601, UTC: SOURCE_DATE_EPOCH (seconds since 1970) if set, else now.

    Raises:
        TrainingError: If SOURCE_DATE_EPOCH is not a number of seconds.
    """
    requested = os.environ.get("SOURCE_DATE_EPOCH", "").strip()
    try:
        moment = time.gmtime(int(requested) if requested else None)
    except (ValueError, OverflowError, OSError):
        raise TrainingError(
            f"SOURCE_DATE_EPOCH is {requested!r}, not a number of seconds since 1970; correct or "
            "unset it"
        ) from None
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", moment)


def _explain_error(error: OSError, out: Path) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{out}: the disk is full; free some space"
    if isinstance(error, BlockingIOError):
        return _describe_busy(out)
    where = str(error.filename or out)
    if isinstance(error, (FileExistsError, NotADirectoryError)) and where != str(out):
        return f"{out}: cannot be made, since {where} is not a folder"
    if ".partial-" in where:  # the hidden folder: name the one that it becomes
        where = str(out)
    reason = (error.strerror or str(error)).lower()
    return (
        f"{out}: {reason}" if where == str(out) else f"{out}: cannot be made in {where}: {reason}"
    )


def _describe_busy(out: Path) -> str:
    return f"{out}: another process is writing it; wait for it, or choose another --out"


def _is_replaceable(out: Path) -> bool:
    return (out / SPEC).is_file() or not any(out.iterdir())
