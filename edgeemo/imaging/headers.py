"""The cost of decoding a PNG or GIF, from its headers. Standard library only.

Every function reads a few bytes for each part of the file. A file that is not well-formed is left
to the decoder, which refuses it; its parts up to there have been counted.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from edgeemo.imaging.limits import Cost, require_little, require_pixels

if TYPE_CHECKING:
    from typing import BinaryIO


_TEXT_BYTES = 1 << 20  # of one text, unzipped: Pillow's limit
_ZIP_RATIO = 1032  # at most, of deflate
_ZIPPED = (b"zTXt", b"iTXt", b"iCCP")
_PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_INFLATED_BYTES = 110e6  # per second, with its filters


def measure_png(stream: BinaryIO, name: str) -> Cost:
    """Return the cost of a PNG, whose first eight bytes have been checked."""
    size_bytes = stream.seek(0, 2)
    stream.seek(8)
    raw_bytes = metadata = texts = parts = 0
    while len(head := stream.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        parts += 1
        if kind == b"IEND" or stream.tell() + length > size_bytes:
            break
        if kind == b"IHDR" and length == 13:
            width, height, bits, colour, *_ = struct.unpack(">IIBB3B", stream.read(13))
            require_pixels(name, (width, height))
            raw_bytes = height * (1 + (width * bits * _PNG_CHANNELS.get(colour, 4) + 7) // 8)
            length = 0
        elif kind not in (b"IDAT", b"fdAT"):
            metadata += length
            texts += min(_TEXT_BYTES, length * _ZIP_RATIO) if kind in _ZIPPED else length
        require_little(name, metadata, parts)
        stream.seek(length + 4, 1)
    return Cost(2 * texts, raw_bytes / _INFLATED_BYTES + parts / 200e3)


def measure_gif(stream: BinaryIO, name: str) -> Cost:
    """Return the cost of the first frame of a GIF."""
    stream.seek(10)
    flags = stream.read(3)[:1] or b"\0"
    stream.seek(3 << (flags[0] & 7) + 1 if flags[0] & 0x80 else 0, 1)
    metadata = parts = 0
    while stream.read(1) == b"!":
        stream.read(1)
        while (length := stream.read(1)) not in (b"", b"\0"):
            metadata, parts = metadata + length[0], parts + 1
            require_little(name, metadata, parts)
            stream.seek(length[0], 1)
    return Cost(2 * metadata)
