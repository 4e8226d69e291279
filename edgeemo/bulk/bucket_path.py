"""Paths in buckets, for code that reads folders. Standard library only, until a request is made."""

from __future__ import annotations

import errno
import io
import os
import stat
from pathlib import Path, PosixPath
from typing import IO, TYPE_CHECKING, Any, NoReturn

from edgeemo.bulk.bucket import open_bucket
from edgeemo.imaging.suffixes import is_bucket

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeemo.bulk.bucket_listing import Listing
    from edgeemo.utils.paths import StrPath


def make_path(name: StrPath) -> Path:
    """Return the path of a file or folder here, or in a bucket where it is an address.

    Args:
        name: A path or an address, of which a `Path` may have made s3:/BUCKET.
    """
    text = os.fspath(name)
    if is_bucket(text) or text.startswith(("s3:/", "gs:/")):
        return name if isinstance(name, BucketPath) else BucketPath(text)
    return name if isinstance(name, Path) else Path(text)


class BucketPath(PosixPath):
    """A path in a bucket, which can be read and not written.

    Its text is the address. What is not overridden here fails as of a path that does not exist.
    """

    __slots__ = ()

    def __str__(self) -> str:
        text = super().__str__()
        return text.replace(":/", "://", 1) if text.startswith(("s3:/", "gs:/")) else text

    def list_folder(self) -> Listing:
        """Return what lies in this folder.

        Raises:
            FileNotFoundError: If it does not exist.
            SourceError: If it cannot be listed.
        """
        listing = self._list()
        if listing is None:
            self._fail(errno.ENOENT)
        return listing

    def fetch(self, *, max_bytes: int | None = None) -> bytes | None:
        """Return the content of this file; None of one with more than `max_bytes`.

        Raises:
            OSError: If there is no such file, or it may not be read.
            SourceError: If the storage cannot be reached, or does not work.
        """
        bucket, key = open_bucket(str(self))
        return bucket.read(key, max_bytes=max_bytes)

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        """Return the size and the kind alone."""
        bucket, key = open_bucket(str(self))
        size = bucket.find_size(key) if key else None
        if size is None and self._list() is None:
            self._fail(errno.ENOENT)
        mode = stat.S_IFDIR if size is None else stat.S_IFREG
        return os.stat_result((mode, 0, 0, 1, 0, 0, size or 0, 0, 0, 0))

    def exists(self, *, follow_symlinks: bool = True) -> bool:
        """Return whether it is a file or a folder."""
        return self.is_dir() or self.is_file()

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        """Return whether it is a folder."""
        return self._list() is not None

    def is_file(self, *, follow_symlinks: bool = True) -> bool:
        """Return whether it is a file."""
        bucket, key = open_bucket(str(self))
        return bool(key) and bucket.find_size(key) is not None

    def is_symlink(self) -> bool:
        """Return False: a bucket has no links."""
        return False

    def iterdir(self) -> Iterator[BucketPath]:  # type: ignore[override]  # Self in typeshed
        """Yield the files and folders in this folder."""
        listing = self.list_folder()
        return (self / name for name in sorted({*listing.files, *listing.folders}))

    def resolve(self, strict: bool = False) -> BucketPath:
        """Return the path itself."""
        return self

    def absolute(self) -> BucketPath:
        """Return the path itself."""
        return self

    def read_bytes(self) -> bytes:
        """Return the content of this file."""
        return self.fetch() or b""

    def open(  # type: ignore[override]
        self, mode: str = "r", buffering: int = -1, encoding: str | None = None, *args: Any
    ) -> IO[Any]:
        """Open this file for reading; it is read whole."""
        if mode not in ("r", "rb", "rt"):
            self._fail(errno.EROFS)
        stream = io.BytesIO(self.read_bytes())
        return stream if mode == "rb" else io.TextIOWrapper(stream, encoding or "utf-8")

    def read_text(self, encoding: str | None = None, errors: str | None = None) -> str:
        """Return the content of this file as text."""
        return self.read_bytes().decode(encoding or "utf-8", errors or "strict")

    def mkdir(self, *args: Any, **kwargs: Any) -> None:
        """Refuse it."""
        self._fail(errno.EROFS)

    def _list(self) -> Listing | None:
        bucket, key = open_bucket(str(self))
        parent, _, name = key.rpartition("/")
        known = bucket.peek(parent) if key else None
        if known is not None and name not in known.folders:
            return None
        return bucket.list_folder(key)

    def _fail(self, number: int) -> NoReturn:
        raise OSError(number, os.strerror(number), str(self))
