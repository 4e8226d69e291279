"""The cost of decoding a JPEG, from its segments (ITU-T T.81, annex B). Standard library only.

A JPEG of many scans takes the time of its pixels once for each, and memory for every coefficient.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from edgeemo.imaging.limits import Cost, require_little, require_pixels, require_quick_opening

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

_FRAMES = {0xC0 + low for low in range(16)} - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = (0xC2, 0xC6, 0xCA, 0xCE)
_ARITHMETIC = range(0xC9, 0xD0)
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xDA)}
_START_OF_SCAN, _APP1, _APP2 = 0xDA, 0xE1, 0xE2
_MAX_JUNK_BYTES = 1 << 14  # before the first scan, which Pillow skips one by one

_BLOCK_BYTES = 128  # of the coefficients of a block
_CHUNK = 1 << 20
_VALUE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_UNPACKED = 16  # times the memory of a value, as a Python object

_COPIED_BYTES = 3e9  # per second
_SCANNED_BLOCKS, _PIXELS, _CODED_BYTES = 20e6, 120e6, 30e6  # per second
_SLOWER = 4  # times: arithmetic coding


class _Segments:
    """Sums over the segments before the first scan."""

    def __init__(self) -> None:  # a dataclass takes a millisecond
        self.size_bytes = self.count = 0
        self.exif_bytes = self.copied_bytes = self.unpacked_bytes = 0

    def add(self, marker: int, length: int, body: bytes) -> None:
        self.size_bytes += length
        self.count += 1
        if marker == _APP1 and body.startswith(b"Exif\0\0"):
            self.exif_bytes += length
            self.copied_bytes += self.exif_bytes  # Pillow joins them one by one
            self.unpacked_bytes += _count_value_bytes(body[6:])
        elif marker == _APP2 and body.startswith(b"MPF\0"):
            self.unpacked_bytes += _UNPACKED * _count_value_bytes(body[4:])

    @property
    def cost(self) -> Cost:
        memory = 2 * self.size_bytes + self.unpacked_bytes
        return Cost(memory, self.copied_bytes / _COPIED_BYTES + self.count / 200e3)


def measure_jpeg(stream: BinaryIO, name: str) -> Cost:
    """Return the cost of a JPEG, whose first two bytes have been checked.

    Raises:
        ImageTooLargeError: If it is beyond a limit.
    """
    sums, frame, kind = _Segments(), b"", 0
    for marker, length in _list_segments(stream, name):
        body = stream.read(length)
        if marker == _START_OF_SCAN:
            metadata = sums.cost
            require_quick_opening(name, metadata.seconds)  # Pillow reads them when it opens
            scans = _measure_scans(stream, kind, frame, body)
            return Cost(
                metadata.memory_bytes + scans.memory_bytes, metadata.seconds + scans.seconds
            )
        if marker in _FRAMES and len(body) >= 6:
            frame, kind = body, marker
            require_pixels(name, struct.unpack_from(">HH", body, 1))
        sums.add(marker, length, body)
        require_little(name, max(sums.size_bytes, sums.unpacked_bytes), sums.count)
    require_quick_opening(name, sums.cost.seconds)
    return sums.cost


def _list_segments(stream: BinaryIO, name: str) -> Iterator[tuple[int, int]]:
    """Yield marker and length of each segment; the caller reads its body, and stops at a scan."""
    stream.seek(2)
    junk = 0
    while head := stream.read(1):
        marker = stream.read(1)[0:1] if head == b"\xff" else b""
        if not marker or marker in b"\0\xff":
            junk += 1
            require_little(name, 0, 0 if junk < _MAX_JUNK_BYTES else 1 << 30)
            if marker == b"\xff":
                stream.seek(-1, 1)
            continue
        if marker[0] in _WITHOUT_LENGTH:
            continue
        size = stream.read(2)
        if len(size) < 2:
            return
        yield marker[0], max(0, struct.unpack(">H", size)[0] - 2)


def _measure_scans(stream: BinaryIO, kind: int, frame: bytes, scan: bytes) -> Cost:
    """Return the cost of the scans, from the frame header and the header of the first one."""
    if not frame:
        return Cost()
    height, width, count = struct.unpack_from(">HHB", frame, 1)
    blocks = _count_blocks(width, height, frame[6 : 6 + 3 * count])
    several = kind in _PROGRESSIVE or scan[:1] != frame[5:6]
    scans, coded = _count_scans(stream) if several else (1, _count_rest(stream))
    times = _SLOWER if kind in _ARITHMETIC else 1
    seconds = scans * blocks / _SCANNED_BLOCKS if several else width * height / _PIXELS
    return Cost(blocks * _BLOCK_BYTES if several else 0, times * (seconds + coded / _CODED_BYTES))


def _count_blocks(width: int, height: int, components: bytes) -> int:
    """Return the number of blocks of 8x8 of all components."""
    factors = [(one >> 4 or 1, one & 15 or 1) for one in components[1::3]]
    across, down = (max((each[axis] for each in factors), default=1) for axis in (0, 1))
    return sum(
        -(-width * h // (8 * across)) * -(-height * v // (8 * down)) for h, v in factors
    )  # fmt: skip


def _count_scans(stream: BinaryIO) -> tuple[int, int]:
    """Return the number of scans, of which the first has begun, and of the bytes of all."""
    scans, coded, last = 1, 0, b""
    while chunk := stream.read(_CHUNK):
        scans += (last + chunk).count(b"\xff\xda")
        coded += len(chunk)
        last = chunk[-1:]
    return scans, coded


def _count_rest(stream: BinaryIO) -> int:
    here = stream.tell()
    return stream.seek(0, 2) - here


def _count_value_bytes(tiff: bytes) -> int:
    """Return the bytes of all values of a TIFF header's first directory, which may overlap."""
    order = ">" if tiff.startswith(b"MM") else "<"
    try:
        (start,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, start)
    except struct.error:
        return 0
    rows = tiff[start + 2 : start + 2 + 12 * count]
    entries = struct.iter_unpack(f"{order}2HI4x", rows[: len(rows) // 12 * 12])
    return sum(min(len(tiff), _VALUE_BYTES.get(kind, 1) * number) for _, kind, number in entries)
