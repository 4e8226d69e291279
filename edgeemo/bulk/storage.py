"""Files in a folder, or in a bucket; a folder needs no package."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Protocol

from edgeemo.bulk.bucket import open_bucket
from edgeemo.bulk.bucket_listing import Listing
from edgeemo.errors import OutputError
from edgeemo.imaging.suffixes import is_bucket
from edgeemo.utils.files import write_file


class Storage(Protocol):
    """A folder, here or in a bucket."""

    def list_names(self) -> set[str]:
        """Return the names of the files in it, none where it does not exist.

        Raises:
            OutputError: If it cannot be read.
            SourceError: If it lies in a bucket, and cannot be read.
        """

    def list_folders(self) -> set[str]:
        """Return the names of the folders in it, none where it does not exist.

        Raises:
            OutputError: If it cannot be read.
        """

    def read(self, name: str) -> bytes:
        """Return the content of a file.

        Raises:
            OSError: If it cannot be read.
            SourceError: If it lies in a bucket that cannot be reached.
        """

    def write(self, name: str, content: bytes) -> None:
        """Write a whole file or nothing.

        Raises:
            OutputError: If it cannot be written.
        """

    def delete(self, name: str) -> None:
        """Delete a file.

        Raises:
            OutputError: If it cannot be deleted.
        """

    def delete_folder(self, name: str) -> None:
        """Delete a folder in it and all that it holds; no error where there is none.

        Raises:
            OutputError: If it cannot be deleted.
        """


def open_storage(address: str) -> Storage:
    """Return a folder by its path or address; nothing is read or made yet.

    Args:
        address: A path, s3://BUCKET/PREFIX or gs://BUCKET/PREFIX.

    Raises:
        MissingExtraError: If pyarrow is not installed, which buckets need.
        SourceError: If the address is malformed.
    """
    return _Bucket(address) if is_bucket(address) else _Folder(address)


class _Folder:
    """A folder of this machine, or of all nodes."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def list_names(self) -> set[str]:
        return {entry.name for entry in self._list_entries() if entry.is_file()}

    def list_folders(self) -> set[str]:
        return {entry.name for entry in self._list_entries() if entry.is_dir()}

    def _list_entries(self) -> list[os.DirEntry[str]]:
        try:
            return [*os.scandir(self._path)]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise OutputError(f"{self._path}: {error.strerror}") from None

    def read(self, name: str) -> bytes:
        return (self._path / name).read_bytes()

    def write(self, name: str, content: bytes) -> None:
        try:
            self._path.mkdir(parents=True, exist_ok=True)
            write_file(self._path / name, content)
        except OSError as error:
            raise OutputError(f"{self._path / name}: {error.strerror}") from None

    def delete(self, name: str) -> None:
        try:
            (self._path / name).unlink()
        except OSError as error:
            raise OutputError(f"{self._path / name}: {error.strerror}") from None

    def delete_folder(self, name: str) -> None:
        import shutil

        try:
            shutil.rmtree(self._path / name)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise OutputError(f"{self._path / name}: {error.strerror}") from None


class _Bucket:
    """A prefix of a bucket."""

    def __init__(self, address: str) -> None:
        self._bucket, self._key = open_bucket(address)
        self._address = address

    def __reduce__(self) -> Any:
        return type(self), (self._address,)

    def list_names(self) -> set[str]:
        return {*self._list().files}

    def list_folders(self) -> set[str]:
        return {*self._list().folders}

    def _list(self) -> Listing:
        return self._bucket.list_folder(self._key, fresh=True) or Listing((), {})

    def read(self, name: str) -> bytes:
        return self._bucket.read(self._find(name)) or b""

    def write(self, name: str, content: bytes) -> None:
        self._bucket.write(self._find(name), content)

    def delete(self, name: str) -> None:
        self._bucket.delete(self._find(name))

    def delete_folder(self, name: str) -> None:
        self._bucket.delete_folder(self._find(name))

    def _find(self, name: str) -> str:
        return f"{self._key}/{name}" if self._key else name
