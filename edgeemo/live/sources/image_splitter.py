"""Image files in a stream of bytes, without knowing where each begins. Standard library only.

A JPEG tells its own end (ITU-T T.81, B.1.1): segments tell their lengths, and in the pixels no
marker stands but RSTn. So boundaries, headers and lengths that a camera sends between them, and
sends wrong, do not matter, and a frame is complete with its own last byte. PNG: chunks up to IEND.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BYTES = 32 * 2**20
"""Largest image file, in bytes; a larger one is dropped."""

_PNG = b"\x89PNG\r\n\x1a\n"
_BEGIN = re.compile(rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n")
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")  # in pixels: neither an escaped 255 nor RSTn
_BEGINS, _ENDS, _PIXELS_FOLLOW = 0xD8, 0xD9, 0xDA
_ALONE = (0x01, *range(0xD0, 0xD8))  # markers without a segment


class ImageSplitter:
    """Cuts a stream of bytes into JPEG and PNG files.

    Attributes:
        damaged: Number of files that were begun and have no end.
    """

    def __init__(self) -> None:
        self._data = bytearray()
        self._at = 0  # up to where the file at the beginning of `_data` has been looked at
        self._has_begun = self._in_pixels = False
        self.damaged = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the files that are complete with the next bytes of the stream."""
        self._data += data
        while self._has_begun or self._find_begin():
            end = self._find_end()
            if end is None:
                if len(self._data) > MAX_BYTES:
                    self._drop(len(self._data))
                return
            if end > 0:
                yield bytes(memoryview(self._data)[:end])
                self._restart(end)

    def finish(self) -> None:
        """Count a file that the stream's end has cut off."""
        if self._has_begun:
            self._drop(len(self._data))

    def _find_begin(self) -> bool:
        found = _BEGIN.search(self._data)
        if found is None:
            del self._data[: -len(_PNG)]
            return False
        start_length = len(_PNG) if found[0] == _PNG else 2
        self._restart(found.start())
        self._at, self._has_begun = start_length, True
        return True

    def _find_end(self) -> int | None:
        """Return the length of the file; None if it goes on, 0 if it was damaged."""
        return self._walk_png() if self._data[0] == _PNG[0] else self._walk_jpeg()

    def _walk_png(self) -> int | None:
        data = self._data
        while len(data) >= self._at + 12:
            length, kind = int.from_bytes(data[self._at : self._at + 4]), data[self._at + 4 :][:4]
            if length > MAX_BYTES:
                return self._drop(self._at)
            self._at += 12 + length
            if kind == b"IEND":
                return self._at
        return None

    def _walk_jpeg(self) -> int | None:
        data = self._data
        while True:
            if self._in_pixels:
                found = _MARKER.search(data, self._at)
                self._at = found.start() if found else max(self._at, len(data) - 1)
                if found is None:
                    return None
                self._in_pixels = False
            if len(data) < self._at + 2:
                return None
            marker = data[self._at + 1]
            if data[self._at] != 0xFF or marker == _BEGINS:
                # Cut off: another file begins here, or somewhere in what was taken for this one.
                return self._drop(self._at if marker == _BEGINS else 2)
            if marker == _ENDS:
                return self._at + 2
            if not self._skip_segment(marker):
                return None

    def _skip_segment(self, marker: int) -> bool:
        """Step over a marker and its segment; return whether enough was there."""
        if marker == 0xFF or marker in _ALONE:
            self._at += 1 if marker == 0xFF else 2
            return True
        if len(self._data) < self._at + 4:
            return False
        self._at += 2 + int.from_bytes(self._data[self._at + 2 : self._at + 4])
        self._in_pixels = marker == _PIXELS_FOLLOW
        return True

    def _drop(self, length: int) -> int:
        self.damaged += 1
        self._restart(length)
        return 0

    def _restart(self, begin: int) -> None:
        del self._data[:begin]
        self._at, self._has_begun, self._in_pixels = 0, False, False
