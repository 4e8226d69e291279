"""Folders that any number of processes fill with crops, of this machine or in a bucket.

While a folder is being filled, ``.crop`` in it holds what is only needed meanwhile.
"""

from __future__ import annotations

import os
import shutil
from abc import ABC, abstractmethod
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.bulk.storage import open_storage
from edgeemo.dataset.write.placement import DATA_MARKER, MEANWHILE
from edgeemo.errors import DatasetError, OutputError
from edgeemo.utils.files import sync_file
from edgeemo.utils.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROWS = f"{MEANWHILE}/rows"
"""Folder of the finished rows."""
_ID, _OWNER = f"{MEANWHILE}/id", f"{MEANWHILE}/owner"


class CropFolder(ABC):
    """A folder for crops, which can be pickled.

    Args:
        address: Path or address of the folder while it is incomplete.
        name: Its path or address for messages.

    Attributes:
        address: Path or address of the folder while it is incomplete.
        name: Its path or address for messages.
    """

    def __init__(self, address: str, name: str) -> None:
        self.address, self.name = address, name
        self._id = self._owner = ""

    @abstractmethod
    def write(self, path: str, content: bytes) -> None:
        """Write a whole file or nothing.

        Raises:
            DatasetError: If it cannot be written.
        """

    @abstractmethod
    def read(self, path: str) -> bytes:
        """Return the content of a file.

        Raises:
            OSError: If it cannot be read.
        """

    @abstractmethod
    def make_folders(self, paths: Iterable[str]) -> None:
        """Make the folders of files.

        Raises:
            OSError: If one cannot be made.
        """

    @abstractmethod
    def clear(self) -> None:
        """Remove all that is in it; an end in the middle leaves a folder that can be taken again.

        Raises:
            DatasetError: If something cannot be removed.
        """

    @abstractmethod
    def finish(self) -> None:
        """Remove what was only needed meanwhile.

        Raises:
            DatasetError: If it cannot be removed.
        """

    def take(self) -> None:
        """Become the one process that fills it, together with those that get a pickle of this.

        Raises:
            DatasetError: If it cannot be written.
        """
        self._owner = os.urandom(8).hex()
        try:  # the workers' file systems may remember the identity of an earlier run
            self._id = self.read(_ID).decode("ascii", "replace")
        except OSError:
            self._id = os.urandom(8).hex()
            self.write(_ID, self._id.encode())
        self.write(_OWNER, self._owner.encode())

    def check_seen(self) -> None:
        """Check in a worker that it sees this very folder.

        Raises:
            DatasetError: If it does not.
        """
        try:
            is_seen = self.read(_ID) == self._id.encode()
        except OSError as error:
            is_seen, reason = False, f" ({error.strerror or one_line(error)[:200]})"
        else:
            reason = ""
        if not is_seen:
            raise DatasetError(
                f"{self.name}: this node does not see the command's folder{reason}; name --out on "
                "storage that all nodes see under the same path, or an address in a bucket"
            )

    def check_owner(self) -> None:
        """Check that no other command has begun to fill the folder, where no lock prevents that.

        Raises:
            DatasetError: If one has, or the folder is gone.
        """
        try:
            owner = self.read(_OWNER)
        except OSError as error:
            raise DatasetError(
                f"{self.name}: cannot be written any more: {error.strerror or one_line(error)}"
            ) from None
        if owner != self._owner.encode():
            raise DatasetError(f"{self.name}: another command has begun to write it; wait for that")

    def publish(self, tables: Path, names: Iterable[str]) -> None:
        """Write files of a folder of this machine beside the crops, in an order.

        Raises:
            DatasetError: If one cannot be written.
        """
        for name in names:
            if (tables / name).exists():
                self.write(name, (tables / name).read_bytes())


class LocalCropFolder(CropFolder):
    """A folder of this machine, or of all nodes.

    Args:
        folder: The folder while it is incomplete.
        name: Its path for messages.
        is_kept: Whether a crop has to survive a power failure once `write` returns.
    """

    def __init__(self, folder: Path, name: str, *, is_kept: bool) -> None:
        super().__init__(str(folder.resolve()), name)
        self._folder, self._is_kept = Path(self.address), is_kept

    def take(self) -> None:
        """See `CropFolder`."""
        (self._folder / MEANWHILE).mkdir(exist_ok=True)
        super().take()

    def write(self, path: str, content: bytes) -> None:
        """See `CropFolder`."""
        partial = self._folder / MEANWHILE / f"{os.urandom(8).hex()}.partial"
        try:
            try:
                partial.write_bytes(content)
                if self._is_kept:
                    sync_file(partial)
                partial.replace(self._folder / path)
            except BaseException:
                with suppress(OSError):
                    partial.unlink()
                raise
        except OSError as error:
            raise DatasetError(
                f"{self.name}: cannot be written: {error.strerror or error}"
            ) from None

    def read(self, path: str) -> bytes:
        """See `CropFolder`."""
        return (self._folder / path).read_bytes()

    def make_folders(self, paths: Iterable[str]) -> None:
        """See `CropFolder`."""
        for folder in {(self._folder / path).parent for path in paths}:
            folder.mkdir(parents=True, exist_ok=True)

    def clear(self) -> None:
        """See `CropFolder`."""
        kept = {self._folder / name for name in (MEANWHILE, _ID, _OWNER)}
        for path in {*self._folder.iterdir(), *(self._folder / MEANWHILE).iterdir()} - kept:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()

    def finish(self) -> None:
        """See `CropFolder`."""
        shutil.rmtree(self._folder / MEANWHILE)


class BucketCropFolder(CropFolder):
    """A folder in a bucket.

    Args:
        address: Its address.
    """

    def __init__(self, address: str) -> None:
        super().__init__(address, address)
        self._storage = open_storage(address)

    def write(self, path: str, content: bytes) -> None:
        """See `CropFolder`."""
        with _as_dataset_error():
            self._storage.write(path, content)

    def read(self, path: str) -> bytes:
        """See `CropFolder`."""
        return self._storage.read(path)

    def make_folders(self, paths: Iterable[str]) -> None:
        """See `CropFolder`: a bucket needs none."""

    def clear(self) -> None:
        """See `CropFolder`."""
        with _as_dataset_error():
            names = self._storage.list_names()
            for name in sorted(names, key=lambda name: name != DATA_MARKER):
                self._storage.delete(name)
            for name in self._storage.list_folders() - {MEANWHILE}:
                self._storage.delete_folder(name)
            self._storage.delete_folder(ROWS)

    def finish(self) -> None:
        """See `CropFolder`."""
        with _as_dataset_error():
            self._storage.delete_folder(MEANWHILE)


@contextmanager
def _as_dataset_error() -> Iterator[None]:
    try:
        yield
    except OutputError as error:
        raise DatasetError(str(error)) from None
