"""The orientation of an image, from its EXIF block or its XMP packet. Standard library only.

Pillow's own reader keeps every value of the block, which may take a thousand times its size, and
warns of what is broken in it. This one reads one number.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_TAG = 0x0112
_ORDERS = {b"II*\0": "<", b"MM\0*": ">", b"II\0*": "<", b"MM*\0": ">", b"MM\0+": ">"}
"""Byte order by the first bytes of a TIFF header. Pillow reads the wrong last three, too."""

_SIZES = {3: "H", 4: "I", 8: "h", 9: "i"}  # the TIFF types of whole numbers, by their code


def read_orientation(info: Mapping[Any, Any]) -> int:
    """Return the EXIF orientation, 1 to 8 by the standard; 1 where it is absent or unreadable.

    Args:
        info: `PIL.Image.Image.info` of an image.
    """
    try:
        found = _read_exif(_find_exif(info))
        return _read_xmp(info) if found is None else found
    except (ValueError, TypeError, struct.error, IndexError):
        return 1  # a broken block does not keep a viewer from showing the image


def _find_exif(info: Mapping[Any, Any]) -> bytes:
    if "exif" in info:
        return bytes(info["exif"])
    text = info.get("Raw profile type exif")  # as ImageMagick writes it into a PNG
    return bytes.fromhex("".join(text.split("\n")[3:])) if text else b""


def _read_exif(block: bytes) -> int | None:
    """Return the number in the first directory of a TIFF header (TIFF 6.0, section 2), or None."""
    tiff = re.sub(b"^(Exif\0\0){1,2}", b"", block)
    if not tiff:
        return None
    order = _ORDERS.get(tiff[:4])
    if order is None:
        return 1
    (start,) = struct.unpack_from(f"{order}I", tiff, 4)
    (count,) = struct.unpack_from(f"{order}H", tiff, start)
    found = None
    for offset in range(start + 2, min(start + 2 + 12 * count, len(tiff) - 11), 12):
        tag, kind, length = struct.unpack_from(f"{order}HHI", tiff, offset)
        if tag == _TAG and kind in _SIZES and length:
            form = f"{order}{_SIZES[kind]}"
            inline = length * struct.calcsize(form) <= 4
            place = offset + 8 if inline else struct.unpack_from(f"{order}I", tiff, offset + 8)[0]
            (found,) = struct.unpack_from(form, tiff, place)
    return found


def _read_xmp(info: Mapping[Any, Any]) -> int:
    packet = info.get("XML:com.adobe.xmp") or info.get("xmp") or b""
    packet = packet.encode() if isinstance(packet, str) else packet
    found = re.search(rb'tiff:Orientation(="|>)([0-9])', packet)
    return int(found[2]) if found else 1
