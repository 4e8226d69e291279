"""Where a new folder of crops is made, so that it is complete or says that it is not.

A folder of this machine is made under a hidden name beside its place. One that a later command may
continue is ``.NAME.cropping``, which stays when the command ends early; another goes with the
command. A bucket renames nothing: there the crops go to their place, and the marker comes last.
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.bulk.parts import JOB, Parts
from edgeemo.bulk.storage import open_storage
from edgeemo.dataset.write.crop_folder import (
    ROWS,
    BucketCropFolder,
    CropFolder,
    LocalCropFolder,
)
from edgeemo.dataset.write.placement import DATA_MARKER, MEANWHILE, check_destination
from edgeemo.errors import DatasetError, OutputError, SourceError
from edgeemo.imaging.suffixes import is_bucket
from edgeemo.utils.files import hide_name, is_being_made, new_folder, remove_abandoned, swap_in
from edgeemo.utils.locks import busy_error, hold, is_held

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeemo.dataset.write.crop_table import CropRow
    from edgeemo.dataset.write.crop_work import CropWork

_SUFFIX = ".cropping"


@dataclass(frozen=True, kw_only=True)
class CropPlace:
    """A new folder of crops, and what may be there already.

    Attributes:
        out: Its path, or its address in a bucket.
        replace: Whether to replace a folder that edgeemo wrote.
        is_kept: Whether finished images are kept when the command ends early.
        resume: Whether to continue a run that ended early, if one did.
        again: Whether to remove what such a run has left.
    """

    out: str
    replace: bool = False
    is_kept: bool = False
    resume: bool = False
    again: bool = False

    def check(self, root: str) -> None:
        """Check that the folder may be written, before any slow work.

        Args:
            root: Folder of the images, or its address.

        Raises:
            DatasetError: If it may not be written.
        """
        if is_bucket(self.out):
            self._check_bucket(root)
            return
        out = Path(self.out)
        check_destination(
            None if is_bucket(root) else root, out, marker=DATA_MARKER, replace=self.replace
        )
        hidden = hide_name(out, _SUFFIX)
        if is_held(hidden):
            raise DatasetError(f"{out}: another process is writing it; wait for it")
        self._check_unfinished((hidden / ROWS / JOB).exists())

    @contextmanager
    def open(self) -> Iterator[CropFolder]:
        """Yield the folder to fill, which is complete when the block has succeeded.

        Raises:
            DatasetError: If the folder cannot be written, or another process writes it.
            OSError: If it cannot be written.
        """
        if is_bucket(self.out):
            yield from self._open_bucket()
        elif self.is_kept:
            yield from self._open_kept(Path(self.out))
        else:
            yield from self._open_new(Path(self.out))

    def open_rows(self, work: CropWork) -> Parts[tuple[CropRow, ...]] | None:
        """Return the rows of the finished images; None where they are not kept.

        Raises:
            DatasetError: If they cannot be used, or are of a run with other options.
        """
        if not self.is_kept:
            return None
        address = f"{work.folder.address}/{ROWS}"
        try:
            return Parts(address, work, resume=True)
        except OutputError as error:
            raise DatasetError(str(error).replace(address, self.out)) from None

    def _check_bucket(self, root: str) -> None:
        address = self.out.rstrip("/")
        ours, theirs = f"{address}/", f"{root.rstrip('/')}/"
        if ours.startswith(theirs) or theirs.startswith(ours):
            raise DatasetError(f"{self.out}: must be neither inside nor around {root}")
        storage = open_storage(address)
        names, folders = storage.list_names(), storage.list_folders()
        if DATA_MARKER in names and not self.replace:
            raise DatasetError(
                f"{self.out}: exists already; --force replaces what edgeemo wrote itself"
            )
        if DATA_MARKER in names:
            return
        if MEANWHILE in folders:
            self._check_unfinished(JOB in open_storage(f"{address}/{ROWS}").list_names())
        elif names or folders:
            raise DatasetError(
                f"{self.out}: not written by edgeemo, so it is not replaced; name another folder"
            )

    def _check_unfinished(self, is_unfinished: bool) -> None:
        if is_unfinished and not (self.resume or self.again):
            raise DatasetError(
                f"{self.out}: its cropping ended early; --resume continues it, --again begins again"
            )

    def _open_new(self, out: Path) -> Iterator[CropFolder]:
        hidden = hide_name(out, _SUFFIX)
        if hidden.exists():
            with hold(hidden):
                shutil.rmtree(hidden)
        with new_folder(out, replace=self.replace) as partial:
            folder = LocalCropFolder(partial, str(out), is_kept=False)
            folder.take()
            yield folder
            folder.finish()

    def _open_kept(self, out: Path) -> Iterator[CropFolder]:
        hidden = hide_name(out, _SUFFIX)
        remove_abandoned(out)
        if is_being_made(out):
            raise busy_error(out)
        hidden.mkdir(parents=True, exist_ok=True)
        with hold(hidden):
            if not hidden.exists():  # another process has just completed it
                raise busy_error(out)
            folder = LocalCropFolder(hidden, str(out), is_kept=True)
            folder.take()
            if self.again:
                folder.clear()
            try:
                yield folder
            except BaseException:
                if not has_rows(folder):
                    shutil.rmtree(hidden, ignore_errors=True)
                raise
            swap_in(hidden, out, replace=self.replace)
            with suppress(OSError):  # complete, whatever is left
                shutil.rmtree(out / MEANWHILE)

    def _open_bucket(self) -> Iterator[CropFolder]:
        folder = BucketCropFolder(self.out.rstrip("/"))
        is_complete = DATA_MARKER in open_storage(folder.address).list_names()
        folder.take()
        if is_complete or self.again:
            folder.clear()
        try:
            yield folder
        except BaseException:
            if not has_rows(folder):
                with suppress(DatasetError):
                    folder.clear()
                    folder.finish()
            raise
        with suppress(DatasetError):  # complete, whatever is left
            folder.finish()


def has_rows(folder: CropFolder) -> bool:
    """Return whether a folder holds finished rows, from which a later command can continue."""
    try:
        names = open_storage(f"{folder.address}/{ROWS}").list_names()
    except (OutputError, SourceError):
        return True  # perhaps
    return any(name.startswith("part-") for name in names)


def resolve(name: str) -> str:
    """Return a path that every process understands; an address in a bucket as it is."""
    return name.rstrip("/") if is_bucket(name) else os.path.realpath(name)
