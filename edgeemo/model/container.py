"""The exported file as a container: the model of the engine, followed by the spec.

In both formats engines ignore what follows the model, so one file is a plain model for any engine
and holds the spec for edgeemo:

* ``.tflite``: a ZIP archive appended to the FlatBuffer, as TFLite's "associated files" are, with
  ``edgeemo.json`` and ``labels.txt``, and the seal as the archive's comment.
* ``.onnx``: `metadata_props` entries appended to the ModelProto (Protocol Buffers concatenate),
  with the keys ``edgeemo``, ``labels`` and ``edgeemo_seal``.

``edgeemo.json`` holds the length of the model and the spec. The seal ends the file:
``edgeemo 2 00000727 SHA256``, the version of this format, the number of bytes behind the model, and
the SHA-256 of everything before itself. So a file that was cut short or altered anywhere is refused
before it could mislead anybody or crash an engine. Standard library only, without pathlib and
zipfile, whose import takes 50 ms on a Pi.
"""

from __future__ import annotations

import io
import json
import os
import struct
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, Literal

from edgeemo.errors import EngineError, SpecError
from edgeemo.model.signature import require_signature
from edgeemo.model.spec import ModelSpec
from edgeemo.model.trailer import append_metadata, append_zip, read_metadata, read_zip
from edgeemo.utils.strict_json import parse_json, require_fields

if TYPE_CHECKING:
    from collections.abc import Mapping

Format = Literal["tflite", "onnx"]

Kind = Literal["float32", "float16", "dynamic", "int8"]
"""Arithmetic of an exported file: "dynamic" is int8 weights with float activations."""

_CHUNK = 1 << 18
_MAX_TRAILER = 1 << 20
_MARK = b"edgeemo "
_FORMAT = b"2"
_SEAL = struct.Struct("8s1sx8sx64s")
_OLD_MARK = b'"model_sha256": "'
"""In files of format 1, whose checksum did not cover the spec."""


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


def seal(
    model: bytes,
    spec: ModelSpec,
    *,
    format: Format,
    members: Mapping[str, bytes] | None = None,
) -> bytes:
    """Append the spec to a converted model. The same input gives the same bytes.

    Args:
        model: Output of the converter: a TFLite FlatBuffer or a serialised ONNX ModelProto.
        spec: The spec to embed.
        format: Format of the model.
        members: Files for other programs to add to the archive of a TFLite model.

    Returns:
        The bytes of the exported file.
    """
    from hashlib import sha256

    entry = json.dumps(
        {"model_bytes": len(model), "spec": json.loads(spec.to_json())},
        ensure_ascii=False,
        indent=2,
    )
    write = partial(append_zip, members=members) if format == "tflite" else append_metadata
    blank = write(model, entry, "\n".join(spec.output_labels) + "\n", b" " * _SEAL.size)
    start = b"%s%s %08d " % (_MARK, _FORMAT, len(blank) - len(model))
    content = blank[: -_SEAL.size] + start
    return content + sha256(content).hexdigest().encode()


def is_sealed(content: bytes) -> bool:
    """Return whether the content of a file ends with a seal, be it whole or of an older format."""
    return content[-_SEAL.size :].startswith(_MARK) or _OLD_MARK in content[-_MAX_TRAILER:]


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
    size_bytes = stream.seek(0, io.SEEK_END)
    trailer_bytes, expected = _read_seal(stream, path, format, size_bytes)
    if known is None:
        found, known = _digests(stream, size_bytes)
        if found != expected:
            raise _damaged(path)
    stream.seek(size_bytes - trailer_bytes)
    spec = _read_spec(stream.read(), path, format, size_bytes - trailer_bytes)
    if format == "tflite" and not _is_flatbuffer(stream):
        raise EngineError(f"{path}: not a TFLite model")
    return SealedModel(path=path, format=format, spec=spec, sha256=known, size_bytes=size_bytes)


def read_engine_model(path: str | os.PathLike[str]) -> bytes:
    """Return the engine's model in an exported file: its bytes without the trailer.

    Args:
        path: A file that `unseal` has checked.
    """
    with open(path, "rb") as stream:  # noqa: PTH123 - pathlib is slow to import
        content = stream.read()
    _, _, length, _ = _SEAL.unpack(content[-_SEAL.size :])
    return content[: -int(length)]


def model_format(path: str) -> Format:
    """Return the format of a file, by its suffix.

    Raises:
        EngineError: If it is neither ``.tflite`` nor ``.onnx``.
    """
    ending = path[-7:].lower()
    if ending.endswith(".tflite"):
        return "tflite"
    if ending.endswith(".onnx"):
        return "onnx"
    from edgeemo.model.file_kind import describe_foreign

    foreign = describe_foreign(path)
    raise EngineError(
        f"{path}: {foreign or 'not a model that edgeemo runs; give a .tflite or .onnx file'}"
    )


def _read_seal(stream: BinaryIO, path: str, format: Format, size_bytes: int) -> tuple[int, str]:
    """Return the number of bytes behind the model, and the SHA-256 of all before it."""
    stream.seek(-min(size_bytes, _MAX_TRAILER), io.SEEK_END)
    tail = stream.read()
    mark, version, length, digest = _SEAL.unpack(tail[-_SEAL.size :].rjust(_SEAL.size))
    if mark != _MARK:
        raise _not_sealed(path, format, is_old=_OLD_MARK in tail)
    if version != _FORMAT:
        raise SpecError(
            f"{path}: format {version.decode('ascii', 'backslashreplace')!r} of exported files is "
            "unknown to this version of edgeemo; install the version that exported the model"
        )
    if not length.isdigit() or not _SEAL.size <= int(length) <= len(tail):
        raise _damaged(path)
    return int(length), digest.decode("ascii", "replace")


def _not_sealed(path: str, format: Format, *, is_old: bool) -> SpecError:
    if is_old:
        return SpecError(
            f"{path}: exported by an older version of edgeemo, without a checksum of its "
            "specification; export it again"
        )
    from edgeemo.model.file_kind import describe_foreign, recognise, suggest_adoption

    foreign = describe_foreign(path)
    if foreign:
        return SpecError(f"{path}: {foreign}")
    kind = recognise(path)
    other = "" if format == "tflite" or kind == "onnx" else " is not an ONNX model,"
    adopt = f", or {suggest_adoption(path)}" if kind in ("tflite", "onnx") else ""
    return SpecError(
        f"{path}: carries no edgeemo specification,{other} or was cut short: copy it again{adopt}"
    )


def _damaged(path: str) -> EngineError:
    return EngineError(f"{path}: damaged (its checksum is wrong); copy or export it again")


def _read_spec(trailer: bytes, path: str, format: Format, model_bytes: int) -> ModelSpec:
    """Return the spec in what follows the model, which has to be `model_bytes` long."""
    try:
        entry = read_zip(trailer) if format == "tflite" else read_metadata(trailer)
        fields = require_fields(parse_json(entry), {"model_bytes": int, "spec": dict})
        if fields["model_bytes"] != model_bytes:
            raise ValueError
        spec = fields["spec"]
    except (EOFError, OverflowError, ValueError, KeyError, struct.error):
        raise SpecError(
            f"{path}: its edgeemo specification is malformed; export it again"
        ) from None
    return ModelSpec.from_fields(spec, origin=path)


def _digests(stream: BinaryIO, size_bytes: int) -> tuple[str, str]:
    """Return the SHA-256 of the stream up to the digest in its seal, and of the whole stream."""
    from hashlib import sha256

    stream.seek(0)
    digest = sha256()
    left = size_bytes - 64
    while left > 0 and (chunk := stream.read(min(left, _CHUNK))):
        digest.update(chunk)
        left -= len(chunk)
    sealed = digest.hexdigest()
    digest.update(stream.read())
    return sealed, digest.hexdigest()


def _is_flatbuffer(stream: BinaryIO) -> bool:
    stream.seek(0)
    return stream.read(8)[4:] == b"TFL3"
