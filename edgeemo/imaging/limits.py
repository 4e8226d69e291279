"""Limits of the memory and time that one image may take, and the room that all of them share.

An image is judged by its headers (`edgeemo.imaging.headers`) before its pixels are decoded. The
limits keep a process below 300 MB, on a device 256 MB, and an image below 2 seconds of a core.
Standard library only.
"""

from __future__ import annotations

import os
from threading import Condition

from edgeemo.errors import ImageTooLargeError

MAX_PIXELS = 89_478_485
"""Largest image accepted, in pixels: where Pillow begins to suspect a decompression bomb."""

MAX_FILE_BYTES = 128 * 2**20
"""Largest file of an image that is read."""

MAX_BYTES = 232 * 2**20
"""Most memory that decoding one image may take, and all images at the same time."""

MAX_DEVICE_BYTES = 172 * 2**20
"""The same in a bundle."""

MAX_SECONDS = 1.4
"""Longest time that decoding an image may take, as estimated."""

BAND_PIXELS = 1 << 19
"""Pixels of the bands of rows in which colours are converted; one row at least."""

_MAX_METADATA_BYTES = 16 * 2**20
_MAX_PARTS = 100_000  # of a file
_SHARED_BYTES = 16 * 2**20
_PIXEL_BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2}  # else 4, RGB too


class Cost:
    """The cost of decoding an image, apart from the memory of its pixels.

    Attributes:
        memory_bytes: Memory of the decoder and of metadata.
        seconds: Time, estimated.
    """

    __slots__ = ("memory_bytes", "seconds")

    def __init__(self, memory_bytes: int = 0, seconds: float = 0.0) -> None:  # fast to import
        self.memory_bytes, self.seconds = memory_bytes, seconds


def count_pixel_bytes(mode: str, size: tuple[int, int]) -> int:
    """Return the memory of an image of one of Pillow's modes, in bytes."""
    return size[0] * size[1] * _PIXEL_BYTES.get(mode, 4)


def require_pixels(name: str, size: tuple[int, int]) -> None:
    """Refuse an image of more than `MAX_PIXELS` pixels.

    Raises:
        ImageTooLargeError: If it has more.
    """
    if size[0] * size[1] > MAX_PIXELS:
        raise ImageTooLargeError(
            f"{name}: {size[0]}x{size[1]} pixels are more than {MAX_PIXELS:,}; make it smaller"
        )


def require_little(name: str, metadata: int, parts: int) -> None:
    """Refuse an image whose file consists of too many parts, or too much besides pixels.

    Args:
        name: The image's name.
        metadata: Bytes of metadata.
        parts: Number of parts of the file.

    Raises:
        ImageTooLargeError: If it does.
    """
    if metadata > _MAX_METADATA_BYTES:
        limit = _MAX_METADATA_BYTES // 2**20
        raise ImageTooLargeError(f"{name}: its metadata take more than {limit} MB; remove them")
    if parts > _MAX_PARTS:
        raise ImageTooLargeError(f"{name}: it has more than {_MAX_PARTS:,} parts; save it again")


def require_quick_opening(name: str, seconds: float) -> None:
    """Refuse an image whose metadata take longer than `MAX_SECONDS` to read.

    Raises:
        ImageTooLargeError: If they do.
    """
    if seconds > MAX_SECONDS:
        raise ImageTooLargeError(
            f"{name}: reading its metadata takes about {seconds:,.0f} seconds; remove it"
        )


class Room:
    """The memory that the images decoded at the same time share, in all threads.

    A small image takes it without asking. A large one waits until there is room; one image alone
    always has room.

    Attributes:
        max_bytes: All of it.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._taken, self._changed, self._process = 0, Condition(), os.getpid()
        self._descriptor: int | None = None
        self._part_bytes = 0

    def share(self, workers: int, descriptor: int) -> None:
        """Share it with other processes, each of which decodes one image at a time.

        An image that takes more than a worker's part is decoded while no other large one is.

        Args:
            workers: Number of processes.
            descriptor: A file that all of them have open, for their locks.
        """
        self._descriptor, self._part_bytes = descriptor, self.max_bytes // workers

    def take(self, needed: int, *, name: str, seconds: float) -> int:
        """Wait for room and take it.

        Args:
            needed: Bytes.
            name: The image's name.
            seconds: The time that its decoding takes.

        Returns:
            Bytes to `give_back`.

        Raises:
            ImageTooLargeError: If the image takes more than there is, or more than `MAX_SECONDS`.
        """
        if needed > self.max_bytes:
            raise ImageTooLargeError(
                f"{name}: decoding it takes {needed / 2**20:,.0f} MB of memory, more than "
                f"{self.max_bytes / 2**20:.0f}; make it smaller"
            )
        if seconds > MAX_SECONDS:
            raise ImageTooLargeError(
                f"{name}: decoding it takes about {seconds:,.1f} seconds; make it smaller, or "
                "save it without progressive scans or run lengths"
            )
        if needed <= _SHARED_BYTES:
            return 0
        if self._descriptor is not None:
            self._lock(self._descriptor, is_alone=needed > self._part_bytes)
            return needed
        if self._process != os.getpid():  # forked: other threads' images are the parent's
            self._taken, self._changed, self._process = 0, Condition(), os.getpid()
        with self._changed:
            self._changed.wait_for(
                lambda: not self._taken or self._taken + needed <= self.max_bytes
            )
            self._taken += needed
        return needed

    def give_back(self, taken: int) -> None:
        """Give back what was taken."""
        if taken and self._descriptor is not None:
            self._lock(self._descriptor, is_alone=None)
        elif taken:
            with self._changed:
                self._taken -= taken
                self._changed.notify_all()

    @staticmethod
    def _lock(descriptor: int, *, is_alone: bool | None) -> None:
        """Wait for a lock, alone or with others; None gives it back."""
        from fcntl import LOCK_EX, LOCK_SH, LOCK_UN, lockf

        kind = LOCK_UN if is_alone is None else LOCK_EX if is_alone else LOCK_SH
        lockf(descriptor, kind)


ROOM = Room(MAX_BYTES)
"""The room of this process."""
