"""The exported file as a container: the model of the engine, followed by the spec.

In both formats engines ignore what follows the model, so one file is a plain model for any engine
and holds the spec for edgeemo:

* ``.tflite``: a ZIP archive appended to the FlatBuffer, as TFLite's "associated files" are, with
  ``edgeemo.json`` and ``labels.txt``.
* ``.onnx``: `metadata_props` entries appended to the ModelProto (Protocol Buffers concatenate),
  with the keys ``edgeemo`` and ``labels``.

``edgeemo.json`` holds the spec and the length and SHA-256 of the model before it, so that a file
that was cut short or altered is refused before it could crash an engine. Standard library only,
without pathlib and zipfile, whose import takes 50 ms on a Pi.
"""

from __future__ import annotations

import io
import json
import os
import struct
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, BinaryIO, Literal

from edgeemo.errors import EngineError, SpecError
from edgeemo.model.signature import require_signature
from edgeemo.model.spec import ModelSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

Format = Literal["tflite", "onnx"]

Kind = Literal["float32", "float16", "dynamic", "int8"]
"""Arithmetic of an exported file: "dynamic" is int8 weights with float activations."""

_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_ENTRY = "edgeemo.json"
_LABELS = "labels.txt"
_METADATA_PROPS = 14  # onnx.ModelProto.metadata_props
_LENGTH_DELIMITED = 2  # Protocol Buffers wire type
_CHUNK = 1 << 18
_MAX_METADATA = 1 << 20
_ZIP_END = struct.Struct("<4s4H2IH")
_ZIP_ENTRY = struct.Struct("<20xI4x3H8xI")


@dataclass(frozen=True, kw_only=True)
class SealedModel:
    """An exported file that was checked, and its spec.

    Attributes:
        path: Path of the file, or its name if it has no file of its own.
        format: "tflite" or "onnx".
        spec: The spec inside.
        sha256: SHA-256 of the whole file, hexadecimal.
        size_bytes: Size of the whole file.
        content: Bytes of the file if it has none of its own, as inside a bundle; else None.
    """

    path: str
    format: Format
    spec: ModelSpec
    sha256: str
    size_bytes: int
    content: bytes | None = field(default=None, repr=False)


def seal(model: bytes, spec: ModelSpec, *, format: Format) -> bytes:
    """Append the spec to a converted model. The same input gives the same bytes.

    Args:
        model: Output of the converter: a TFLite FlatBuffer or a serialised ONNX ModelProto.
        spec: The spec to embed.
        format: Format of the model.

    Returns:
        The bytes of the exported file.
    """
    from hashlib import sha256

    entry = json.dumps(
        {
            "model_bytes": len(model),
            "model_sha256": sha256(model).hexdigest(),
            "spec": json.loads(spec.to_json()),
        },
        ensure_ascii=False,
        indent=2,
    )
    labels = "\n".join(spec.labels) + "\n"
    if format == "tflite":
        return _with_zip(model, {_ENTRY: entry, _LABELS: labels})
    return model + _metadata_field("edgeemo", entry) + _metadata_field("labels", labels)


def unseal(path: str | os.PathLike[str]) -> SealedModel:
    """Check an exported file and read its spec, without an engine.

    Args:
        path: A ``.tflite`` or ``.onnx`` file that `seal` made.

    Raises:
        EngineError: If the file cannot be read, is not such a model, or is damaged.
        SignatureError: If this machine runs signed files only, and its signature does not fit.
        SpecError: If it carries no spec or one that this version does not understand.
    """
    path = os.fspath(path)
    format = model_format(path)
    require_signature(path)
    try:
        with open(path, "rb") as stream:  # noqa: PTH123 - pathlib is slow to import
            return _unsealed(stream, path, format)
    except OSError as error:
        raise EngineError(f"{path}: cannot be read: {error.strerror or error}") from None


def unseal_bytes(content: bytes, *, name: str, sha256: str | None = None) -> SealedModel:
    """Check the bytes of an exported file, as `unseal` checks a file.

    Args:
        content: Result of `seal`.
        name: Name in messages; its suffix is that of the format.
        sha256: SHA-256 of `content` if the caller has checked it: then it is not hashed again,
            which takes time with a large model.

    Raises:
        EngineError: If it is not such a model, or is damaged.
        SpecError: If it carries no spec or one that this version does not understand.
    """
    model = _unsealed(io.BytesIO(content), name, model_format(name), known=sha256)
    return replace(model, content=content)


def _unsealed(
    stream: BinaryIO, path: str, format: Format, *, known: str | None = None
) -> SealedModel:
    read = _read_zip if format == "tflite" else _read_metadata
    return _checked(stream, path, format, read(stream, path), known)


def model_format(path: str) -> Format:
    """Return the format of a file, by its suffix.

    Raises:
        EngineError: If it is neither ``.tflite`` nor ``.onnx``.
    """
    if path.endswith(".tflite"):
        return "tflite"
    if path.endswith(".onnx"):
        return "onnx"
    raise EngineError(f"{path}: not a model that edgeemo runs; give a .tflite or .onnx file")


def _checked(
    stream: BinaryIO, path: str, format: Format, entry: bytes, known: str | None
) -> SealedModel:
    try:
        fields = json.loads(entry)
        model_bytes, expected = int(fields["model_bytes"]), fields["model_sha256"]
        spec_text = json.dumps(fields["spec"])
    except (ValueError, KeyError, TypeError):
        raise SpecError(
            f"{path}: its edgeemo specification is malformed; export it again"
        ) from None
    if known is None:
        model_sha256, known = _digests(stream, model_bytes)
        if model_sha256 != expected:
            raise EngineError(f"{path}: damaged (its checksum is wrong); copy or export it again")
    size_bytes = stream.seek(0, io.SEEK_END)
    if format == "tflite" and not _is_flatbuffer(stream):
        raise EngineError(f"{path}: not a TFLite model")
    spec = ModelSpec.from_json(spec_text, origin=str(path))
    return SealedModel(path=path, format=format, spec=spec, sha256=known, size_bytes=size_bytes)


def _digests(stream: BinaryIO, model_bytes: int) -> tuple[str, str]:
    """Return the SHA-256 of the first `model_bytes` bytes and of the whole stream."""
    from hashlib import sha256

    stream.seek(0)
    digest = sha256()
    left = model_bytes
    while left > 0 and (chunk := stream.read(min(left, _CHUNK))):
        digest.update(chunk)
        left -= len(chunk)
    model_sha256 = digest.hexdigest()
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
    return model_sha256, digest.hexdigest()


def _is_flatbuffer(stream: BinaryIO) -> bool:
    stream.seek(0)
    return stream.read(8)[4:] == b"TFL3"


def _with_zip(model: bytes, members: dict[str, str]) -> bytes:
    import zipfile

    buffer = io.BytesIO(model)
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_STORED) as archive:
        for name, text in members.items():
            info = zipfile.ZipInfo(name, _ZIP_TIME)
            info.create_system = 3
            info.external_attr = 0o644 << 16
            archive.writestr(info, text)
    return buffer.getvalue()


def _read_zip(stream: BinaryIO, path: str) -> bytes:
    """Read the stored member `_ENTRY` of the ZIP archive at the end of a file.

    The offsets are those of PKWARE's APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.16.
    """
    try:
        stream.seek(-_ZIP_END.size, io.SEEK_END)
        signature, _, _, _, count, _, offset, _ = _ZIP_END.unpack(stream.read())
        if signature != b"PK\5\6":
            raise ValueError
        stream.seek(offset)
        for _ in range(count):
            size, name_length, extra, comment, local = _ZIP_ENTRY.unpack(
                stream.read(_ZIP_ENTRY.size)
            )
            name = stream.read(name_length)
            if name == _ENTRY.encode():
                return _zip_member(stream, local, size)
            stream.seek(extra + comment, io.SEEK_CUR)
        raise ValueError
    except (OSError, struct.error, ValueError):
        raise SpecError(
            f"{path}: carries no edgeemo specification, or was cut short: copy it again, "
            "or make it with 'edgeemo export'"
        ) from None


def _zip_member(stream: BinaryIO, local_header: int, size: int) -> bytes:
    stream.seek(local_header + 26)
    name_length, extra = struct.unpack("<HH", stream.read(4))
    stream.seek(name_length + extra, io.SEEK_CUR)
    return stream.read(min(size, _MAX_METADATA))


def _metadata_field(key: str, value: str) -> bytes:
    """Return a `metadata_props` entry (StringStringEntryProto: key = 1, value = 2) as bytes."""
    entry = _delimited(1, key.encode()) + _delimited(2, value.encode())
    return _delimited(_METADATA_PROPS, entry)


def _delimited(number: int, payload: bytes) -> bytes:
    return _varint(number << 3 | _LENGTH_DELIMITED) + _varint(len(payload)) + payload


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _read_metadata(stream: BinaryIO, path: str) -> bytes:
    try:
        size = stream.seek(0, io.SEEK_END)
        stream.seek(0)
        entries = [dict(_fields(entry)) for entry in _metadata_entries(stream, size)]
        properties = {entry[1]: entry[2] for entry in entries}
        if b"edgeemo" in properties and b"labels" not in properties:
            raise EOFError  # cut between the two entries, where the rest is still well-formed
    except (EOFError, KeyError):
        raise EngineError(
            f"{path}: not an ONNX model, or cut short; copy or export it again"
        ) from None
    if b"edgeemo" not in properties:
        raise SpecError(f"{path}: carries no edgeemo specification: make it with 'edgeemo export'")
    return properties[b"edgeemo"]


def _metadata_entries(stream: BinaryIO, size: int) -> Iterator[bytes]:
    """Yield the payloads of `metadata_props`, skipping every other top-level field unread."""
    while stream.tell() < size:
        key = _read_varint(stream)
        number, wire = key >> 3, key & 7
        if wire == 0:
            _read_varint(stream)
            continue
        if wire != _LENGTH_DELIMITED:
            raise EOFError
        length = _read_varint(stream)
        if stream.tell() + length > size:
            raise EOFError
        if number == _METADATA_PROPS and length <= _MAX_METADATA:
            yield stream.read(length)
        else:
            stream.seek(length, io.SEEK_CUR)


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
