"""A bucket of Amazon S3, Google Cloud Storage or what speaks like them."""

from __future__ import annotations

import errno
import os
import re
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn

from edgeemo.bulk.bucket_connection import (
    connect_amazon,
    connect_google,
    explain_error,
    find_endpoint,
)
from edgeemo.bulk.bucket_listing import KeptListings, Listing, join_key, sort_entries
from edgeemo.errors import OutputError, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

_ADDRESS = re.compile(r"(s3|gs)://(anonymous@)?([A-Za-z0-9][A-Za-z0-9._-]{1,221})(?:/(.*))?", re.S)


def open_bucket(address: str) -> tuple[Bucket, str]:
    """Return the bucket of an address, and the key in it; no request is made.

    Args:
        address: s3://BUCKET/KEY or gs://BUCKET/KEY; of a public bucket s3://anonymous@BUCKET/KEY.

    Raises:
        MissingExtraError: If pyarrow is not installed.
        SourceError: If the address is malformed, or has credentials in it.
    """
    match = _ADDRESS.fullmatch(address)
    if match is None:
        if "@" in address[5:].partition("/")[0]:
            raise SourceError(
                f"{address[:5]}...: has credentials in it; set them in the environment instead"
            )
        raise SourceError(f"{address}: no address of a bucket: {address[:5]}BUCKET/FOLDER is one")
    scheme, anonymous, name, key = match.groups()
    return _open(f"{scheme}://", name, bool(anonymous), os.getpid()), (key or "").rstrip("/")


@cache
def _open(scheme: str, name: str, anonymous: bool, _process: int) -> Bucket:
    return Bucket(scheme, name, anonymous=anonymous)


class Bucket:
    """A bucket.

    Args:
        scheme: "s3://" or "gs://".
        name: Its name.
        anonymous: Whether to use no credentials.
    """

    def __init__(self, scheme: str, name: str, *, anonymous: bool) -> None:
        from edgeemo.utils.extras import require_packages

        self.address = f"{scheme}{'anonymous@' if anonymous else ''}{name}"
        self._scheme, self._name, self._anonymous = scheme, name, anonymous
        self._endpoint = find_endpoint(scheme)
        self._opened: Any = None
        self._listings = KeptListings()
        require_packages(("pyarrow",), purpose=self.address)

    def list_folder(self, key: str, *, fresh: bool = False) -> Listing | None:
        """Return what lies in a folder; None where there is no such folder.

        A listing is used again for a minute. Amazon lists folder by folder, Google all that is
        below the first one.

        Args:
            key: Key of the folder.
            fresh: Whether to list it again in any case.

        Raises:
            SourceError: If it cannot be listed.
        """
        listing = None if fresh else self.peek(key)
        if listing is None:
            found = self._request_listings(key)
            self._listings.add(found)
            listing = found.get(key)
        return listing

    def peek(self, key: str) -> Listing | None:
        """Return what lies in a folder, without a request; None where it was not listed."""
        return self._listings.get(key)

    def walk(self, key: str) -> Iterator[str]:
        """Yield the path of each file below a folder: its own before those of its sub-folders.

        Hidden folders are passed over.

        Raises:
            SourceError: If a folder cannot be listed, or the first does not exist.
        """
        listing = self.list_folder(key)
        if listing is None:
            raise SourceError(f"{self.name(key)}: there is no such folder")
        yield from listing.files
        for name in listing.folders:
            for path in () if name.startswith(".") else self.walk(join_key(key, name)):
                yield f"{name}/{path}"

    def find_size(self, key: str) -> int | None:
        """Return the size of a file in bytes; None where there is no such file.

        Raises:
            SourceError: If it cannot be found out.
        """
        parent, _, name = key.rpartition("/")
        if (listing := self.peek(parent)) is not None:
            return listing.files.get(name)
        try:
            info = self._system.get_file_info(f"{self._name}/{key}")
        except OSError as error:
            self._refuse(key, error)
        return info.size if info.is_file else None

    def read(self, key: str, *, max_bytes: int | None = None) -> bytes | None:
        """Return the content of a file; None of one with more than `max_bytes`.

        Raises:
            OSError: If there is no such file, or it may not be read.
            SourceError: If the storage cannot be reached, or does not work.
        """
        try:
            if self._scheme == "gs://":
                content = self._read_google(key, max_bytes)
            else:
                with self._system.open_input_file(f"{self._name}/{key}") as stream:
                    is_large = max_bytes is not None and stream.size() > max_bytes
                    content = None if is_large else stream.read()
            return content
        except FileNotFoundError:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)) from None
        except OSError as error:
            reason = self._explain(error)
            if reason.startswith("access"):
                raise PermissionError(errno.EACCES, reason) from None
            raise SourceError(f"{self.name(key)}: {reason}") from None

    def _read_google(self, key: str, max_bytes: int | None) -> bytes | None:
        """Read a file whose size would be a request of its own, which holds Python's lock."""
        with self._system.open_input_stream(f"{self._name}/{key}", compression=None) as stream:
            content: bytes = stream.read(None if max_bytes is None else max_bytes + 1)
        return None if max_bytes is not None and len(content) > max_bytes else content

    def write(self, key: str, content: bytes) -> None:
        """Write a whole file or nothing.

        Raises:
            OutputError: If it cannot be written.
        """
        try:
            with self._system.open_output_stream(f"{self._name}/{key}") as stream:
                stream.write(content)
        except OSError as error:
            self._refuse(key, error, OutputError)

    def delete(self, key: str) -> None:
        """Delete a file.

        Raises:
            OutputError: If it cannot be deleted.
        """
        try:
            self._system.delete_file(f"{self._name}/{key}")
        except OSError as error:
            self._refuse(key, error, OutputError)

    def delete_folder(self, key: str) -> None:
        """Delete a folder and all that is below it; no error where there is none.

        Raises:
            OutputError: If it cannot be deleted.
        """
        try:
            self._system.delete_dir(f"{self._name}/{key}")
        except FileNotFoundError:
            return
        except OSError as error:
            self._refuse(key, error, OutputError)

    def name(self, key: str) -> str:
        """Return the address of a key."""
        return join_key(self.address, key)

    @property
    def _system(self) -> Any:
        """Return the connected file system, of which threads may share one."""
        if self._opened is None:
            try:
                connect = connect_amazon if self._scheme == "s3://" else connect_google
                self._opened = connect(self._name, self._endpoint, anonymous=self._anonymous)
            except (OSError, ValueError) as error:
                self._refuse("", error)
        return self._opened

    def _request_listings(self, key: str) -> dict[str, Listing]:
        """Return the listing of a folder, by its key; of Google's also those of the folders below.

        pyarrow lists a single folder of Google's without its sub-folders.
        """
        from pyarrow import fs

        is_whole = self._scheme == "gs://"
        path = join_key(self._name, key)
        try:
            found = self._system.get_file_info(
                fs.FileSelector(path, allow_not_found=not is_whole, recursive=is_whole)
            )
            if not found:
                if not is_whole and self._system.get_file_info(self._name).type.name == "NotFound":
                    self._refuse(key, OSError("NO_SUCH_BUCKET"))
                return {} if key else {key: Listing((), {})}
        except FileNotFoundError:  # by Google of a bucket
            self._refuse(key, OSError("NO_SUCH_BUCKET"))
        except OSError as error:
            if is_whole and "No such file or directory" in str(error):  # by Google of a folder
                return {}
            self._refuse(key, error)
        listings = sort_entries(found, path, key)
        return listings if is_whole else {key: listings[key]}

    def _explain(self, error: Exception) -> str:
        return explain_error(error, scheme=self._scheme, bucket=self._name, endpoint=self._endpoint)

    def _refuse(
        self, key: str, error: Exception, kind: type[SourceError | OutputError] = SourceError
    ) -> NoReturn:
        raise kind(f"{self.name(key)}: {self._explain(error)}") from None
