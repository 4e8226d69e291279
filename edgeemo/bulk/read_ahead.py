"""Images of buckets, read ahead of those who use them, so that nobody waits for the network."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from edgeemo.bulk.bucket import open_bucket
from edgeemo.bulk.bucket_path import BucketPath
from edgeemo.errors import ImageTooLargeError
from edgeemo.imaging.limits import MAX_FILE_BYTES

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from pathlib import Path

_AHEAD = 32
"""Images that are read at the same time, and that may wait to be used."""

_READERS = 16
"""Threads more than processors that read and work on images, where each image is read by itself."""

_LARGE_BYTES = 8 * 2**20
"""A larger image is read when its turn has come, so that the memory stays bounded."""

_Item = TypeVar("_Item")


class FetchedImage(bytes):
    """The bytes of an image file, with a name.

    Attributes:
        name: Its address.
    """

    name: str


class UnreadableImage:
    """An image that could not be read: an open file that fails.

    Attributes:
        name: Its address.
    """

    def __init__(self, name: str, error: Exception) -> None:
        self.name, self._error = name, error

    def read(self, _size: int = -1, /) -> bytes:
        """Raise why it could not be read."""
        raise self._error


def read_ahead(
    items: Iterable[tuple[_Item, str]],
) -> Generator[tuple[_Item, FetchedImage | UnreadableImage]]:
    """Yield images of buckets in their order, read `_AHEAD` ahead in threads.

    Args:
        items: The images' addresses, each with whatever belongs to it; taken a few ahead.

    Yields:
        The same, with sources for `edgeemo.imaging.decode.open_image`.

    Raises:
        SourceError: If the storage cannot be reached, in its turn.
    """
    waiting: deque[tuple[_Item, str, Any]] = deque()
    pool = ThreadPoolExecutor(_AHEAD, thread_name_prefix="fetch")
    try:
        for item, address in items:
            waiting.append((item, address, pool.submit(_fetch, address, _LARGE_BYTES)))
            if len(waiting) > _AHEAD:
                yield _finish(*waiting.popleft())
        while waiting:
            yield _finish(*waiting.popleft())
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def count_readers(root: Path, workers: int) -> int:
    """Return the number of threads that read and work on images and keep processors busy.

    Args:
        root: Folder of the images; those of a bucket are waited for.
        workers: Number of images that are worked on at the same time.
    """
    return workers + _READERS if isinstance(root, BucketPath) else workers


def fetch_image(address: str) -> FetchedImage | UnreadableImage:
    """Return an image of a bucket as a source for `edgeemo.imaging.decode.open_image`.

    Raises:
        SourceError: If the storage cannot be reached.
    """
    fetched = _fetch(address, MAX_FILE_BYTES)
    if fetched is None:
        text = f"{address}: the file has more than {MAX_FILE_BYTES // 2**20} MB"
        return UnreadableImage(address, ImageTooLargeError(text))
    return fetched


def _fetch(address: str, max_bytes: int) -> FetchedImage | UnreadableImage | None:
    bucket, key = open_bucket(address)
    try:
        content = bucket.read(key, max_bytes=max_bytes)
    except OSError as error:
        return UnreadableImage(address, OSError(error.strerror))
    if content is None:
        return None
    image = FetchedImage(content)
    image.name = address
    return image


def _finish(item: _Item, address: str, future: Any) -> tuple[_Item, FetchedImage | UnreadableImage]:
    image = future.result()
    return item, fetch_image(address) if image is None else image
