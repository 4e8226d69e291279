"""Files in a folder, or in a bucket of Amazon S3, Google Cloud Storage or what speaks like them.

Credentials, endpoints and regions are those of the environment, as the programs of these clouds
read them. pyarrow's file systems do the work; a folder needs no package.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from edgeemo.errors import OutputError, SourceError
from edgeemo.utils.files import write_file
from edgeemo.utils.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMES = ("s3://", "gs://")


def is_bucket(name: str) -> bool:
    """Return whether a name is an address in a bucket, and no path of this machine."""
    return name.startswith(SCHEMES)


class Storage(Protocol):
    """A folder, here or in a bucket."""

    def list_names(self) -> set[str]:
        """Return the names of the files in it, none where it does not exist.

        Raises:
            OutputError: If it cannot be read.
        """

    def list_folders(self) -> set[str]:
        """Return the names of the folders in it, none where it does not exist.

        Raises:
            OutputError: If it cannot be read.
        """

    def walk(self) -> Iterator[str]:
        """Yield the path of every file below it, with forward slashes, in sorted order.

        Raises:
            SourceError: If it does not exist or cannot be read.
        """

    def read(self, name: str) -> bytes:
        """Return the content of a file.

        Raises:
            OSError: If it cannot be read.
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
        OutputError: If the address is malformed.
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

    def walk(self) -> Iterator[str]:
        raise NotImplementedError

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
        self._address = address
        self._system, self._prefix = _connect(address)

    def __reduce__(self) -> Any:
        return type(self), (self._address,)

    def list_names(self) -> set[str]:
        return self._list("File")

    def list_folders(self) -> set[str]:
        return self._list("Directory")

    def _list(self, kind: str) -> set[str]:
        from pyarrow import fs

        try:
            found = self._system.get_file_info(fs.FileSelector(self._prefix, allow_not_found=True))
        except OSError as error:
            self._refuse(OutputError, error)
        return {each.base_name for each in found if each.type == fs.FileType[kind]}

    def walk(self) -> Iterator[str]:
        raise NotImplementedError

    def read(self, name: str) -> bytes:
        with self._system.open_input_stream(f"{self._prefix}/{name}") as stream:
            content: bytes = stream.read()
        return content

    def write(self, name: str, content: bytes) -> None:
        try:
            with self._system.open_output_stream(f"{self._prefix}/{name}") as stream:
                stream.write(content)
        except OSError as error:
            self._refuse(OutputError, error)

    def delete(self, name: str) -> None:
        try:
            self._system.delete_file(f"{self._prefix}/{name}")
        except OSError as error:
            self._refuse(OutputError, error)

    def delete_folder(self, name: str) -> None:
        try:
            self._system.delete_dir(f"{self._prefix}/{name}")
        except FileNotFoundError:
            pass
        except OSError as error:
            self._refuse(OutputError, error)

    def _refuse(self, kind: type[OutputError | SourceError], error: OSError) -> NoReturn:
        raise kind(f"{self._address}: {one_line(error)[:300]}") from None


def _connect(address: str) -> tuple[Any, str]:
    """Return the file system of an address, and the path in it."""
    from edgeemo.utils.extras import require_packages

    require_packages(("pyarrow",), purpose=address)
    from pyarrow import fs

    try:
        system, path = fs.FileSystem.from_uri(address)
    except (OSError, ValueError) as error:
        raise OutputError(f"{address}: {one_line(error)[:300]}") from None
    return system, path.rstrip("/")
