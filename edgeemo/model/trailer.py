"""The trailer of an exported file: a ZIP archive behind TFLite, `metadata_props` behind ONNX.

`edgeemo.model.container` says what they hold. Standard library only.
"""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import BinaryIO

_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_ENTRY = "edgeemo.json"
_LABELS = "labels.txt"
_MAX_MEMBERS, _MOST_MEMBERS = 1 << 18, 64  # bytes, and number
_METADATA_PROPS = 14  # onnx.ModelProto.metadata_props
_LENGTH_DELIMITED = 2  # Protocol Buffers wire type
_ZIP_LOCAL = struct.Struct("<4s4xH8xIIHH")  # PKWARE's APPNOTE.TXT, section 4.3.7


def append_zip(
    model: bytes,
    entry: str,
    labels: str,
    seal: bytes,
    *,
    members: Mapping[str, bytes] | None = None,
) -> bytes:
    """Return a TFLite model with the two members and, as the comment, the seal behind it.

    Args:
        model: The FlatBuffer alone.
        entry: The member that holds the spec, which is the first.
        labels: The labels, one a line.
        seal: Comment of the archive.
        members: Further members, which other programs look for.
    """
    import zipfile

    buffer = io.BytesIO(model)
    own: dict[str, str | bytes] = {_ENTRY: entry, _LABELS: labels}
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_STORED) as archive:
        archive.comment = seal
        for name, text in {**own, **(members or {}), **own}.items():
            info = zipfile.ZipInfo(name, _ZIP_TIME)
            info.create_system = 3
            info.external_attr = 0o644 << 16
            archive.writestr(info, text)
    return buffer.getvalue()


def split_zip(content: bytes) -> tuple[bytes, dict[str, bytes]]:
    """Return a TFLite model without the archive behind it, and the members of the archive.

    TFLite Metadata keeps its labels there. Members beyond 256 KiB in all, or 64, are left out.

    Args:
        content: The content of a file.
    """
    import zipfile
    import zlib

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            found = archive.infolist()
            begin = min((each.header_offset for each in found), default=len(content))
            members, left = {}, _MAX_MEMBERS
            for each in found[:_MOST_MEMBERS]:
                if each.file_size <= left and not each.is_dir():
                    members[each.filename] = archive.read(each)
                    left -= each.file_size
            return content[:begin], members
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError):
        return content, {}


def read_zip(trailer: bytes) -> bytes:
    """Return the stored member `_ENTRY`, with which the trailer begins.

    Raises:
        ValueError: If it begins with anything else; struct.error if it is cut short.
    """
    signature, method, size, full_size, name_length, extra = _ZIP_LOCAL.unpack_from(trailer)
    start = _ZIP_LOCAL.size + name_length
    name = trailer[_ZIP_LOCAL.size : start]
    if (signature, method, extra, size) != (b"PK\3\4", 0, 0, full_size) or name != _ENTRY.encode():
        raise ValueError
    return trailer[start : start + size]


def append_metadata(model: bytes, entry: str, labels: str, seal: bytes) -> bytes:
    """Return an ONNX model with three `metadata_props` behind it, the seal as the last."""
    fields = {"edgeemo": entry.encode(), "labels": labels.encode(), "edgeemo_seal": seal}
    return model + b"".join(_metadata_field(key, value) for key, value in fields.items())


def read_metadata(trailer: bytes) -> bytes:
    """Return the value of the `metadata_props` entry with which the trailer begins.

    Raises:
        ValueError: If it begins with anything else; EOFError or OverflowError if it is damaged.
    """
    number, entry = next(_fields(trailer))
    (_, key), (_, value) = _fields(entry)
    if number != _METADATA_PROPS or key != b"edgeemo":
        raise ValueError
    return value


def _metadata_field(key: str, value: bytes) -> bytes:
    """Return a `metadata_props` entry (StringStringEntryProto: key = 1, value = 2) as bytes."""
    entry = _delimited(1, key.encode()) + _delimited(2, value)
    return _delimited(_METADATA_PROPS, entry)


def _delimited(number: int, payload: bytes) -> bytes:
    return _varint(number << 3 | _LENGTH_DELIMITED) + _varint(len(payload)) + payload


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    stream = io.BytesIO(message)
    while stream.tell() < len(message):
        number = _read_varint(stream) >> 3
        yield number, stream.read(_read_varint(stream))


def _read_varint(stream: BinaryIO) -> int:
    value = 0
    for shift in range(0, 70, 7):
        byte = stream.read(1)
        if not byte:
            break
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    raise EOFError
