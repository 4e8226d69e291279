"""What a model file tells of itself: TFLite Metadata, and the properties of Ultralytics."""

from __future__ import annotations

import ast
import struct
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from edgeemo.engines.flatbuffer import Table, open_root
from edgeemo.utils.text import has_controls

if TYPE_CHECKING:
    from collections.abc import Mapping

_BUFFERS, _METADATA = 4, 6  # fields of TFLite's Model
_NAME, _BUFFER = 0, 1  # of its Metadata
_DATA = 0  # of its Buffer
_TFLITE_METADATA, _IDENTIFIER = "TFLITE_METADATA", b"M001"
# Fields of metadata_schema.fbs:
_SUBGRAPHS = 3  # of ModelMetadata
_INPUTS, _OUTPUTS = 2, 3  # of SubGraphMetadata
_PROCESS_UNITS, _FILES = 4, 6  # of TensorMetadata
_OPTIONS_TYPE, _OPTIONS, _NORMALIZATION = 0, 1, 1  # of ProcessUnit, and the type
_MEAN, _STD = 0, 1  # of NormalizationOptions
_FILE_NAME, _FILE_TYPE, _LABELS = 0, 2, (2, 3)  # of AssociatedFile, and the types of labels

_ULTRALYTICS = "its metadata (Ultralytics)"
_MAX_LABELS = 1 << 14


@dataclass(frozen=True, kw_only=True)
class FileMetadata:
    """What a model file tells of itself.

    Attributes:
        origin: Where it tells it, in words; "" where it tells nothing.
        labels: Its labels in the order of its outputs; () where it does not tell.
        scale: Factor of a pixel, one or one per channel; () where it does not tell.
        offset: Addend after that, likewise.
        task: Its task, as in "classify"; "" where it does not tell.
    """

    origin: str = ""
    labels: tuple[str, ...] = ()
    scale: tuple[float, ...] = ()
    offset: tuple[float, ...] = ()
    task: str = ""


def read_tflite_metadata(model: bytes, members: Mapping[str, bytes]) -> FileMetadata:
    """Return what TFLite Metadata or Ultralytics tell in a TFLite model; nothing if damaged.

    TFLite Metadata normalises a pixel, 0 to 255, as ``(pixel - mean) / std``.

    Args:
        model: The FlatBuffer, which has no fault.
        members: The files of the archive behind it.
    """
    for content in members.values():
        found = _parse_ultralytics(content)
        if found:
            return found
    try:
        metadata = _open_metadata(model)
        return _read_metadata(metadata, members) if metadata else FileMetadata()
    except (struct.error, ValueError, IndexError):
        return FileMetadata()


def read_onnx_properties(properties: Mapping[str, str]) -> FileMetadata:
    """Return what the ``metadata_props`` of an ONNX model of Ultralytics tell."""
    return _read_ultralytics(properties) or FileMetadata()


def parse_labels(text: str) -> tuple[str, ...]:
    """Return the labels of a file with one a line; Teachable Machine's begin with a number."""
    lines = [line.strip() for line in text.lstrip("\ufeff").splitlines() if line.strip()]
    numbered = [line.partition(" ") for line in lines]
    if all(n == str(place) and label for place, (n, _, label) in enumerate(numbered)):
        lines = [label.strip() for _, _, label in numbered]
    return tuple(lines)


def _open_metadata(model: bytes) -> Table | None:
    root = open_root(model)
    buffers = root.tables(_BUFFERS)
    for entry in root.tables(_METADATA):
        if entry.text(_NAME) == _TFLITE_METADATA:
            content = buffers[entry.number(_BUFFER, "<I")].content(_DATA)
            return open_root(content) if content[4:8] == _IDENTIFIER else None
    return None


def _read_metadata(metadata: Table, members: Mapping[str, bytes]) -> FileMetadata:
    found = FileMetadata(origin="its TFLite Metadata")
    for graph in metadata.tables(_SUBGRAPHS)[:1]:
        for tensor in graph.tables(_INPUTS)[:1]:
            scale, offset = _read_scaling(tensor)
            found = replace(found, scale=scale, offset=offset)
        for tensor in graph.tables(_OUTPUTS)[:1]:
            found = replace(found, labels=_read_labels(tensor, members))
    return found


def _read_scaling(tensor: Table) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return scale and offset of the input; () and () where it is not normalised."""
    for unit in tensor.tables(_PROCESS_UNITS):
        options = unit.table(_OPTIONS)
        if unit.number(_OPTIONS_TYPE, "<B") != _NORMALIZATION or options is None:
            continue
        mean, std = tuple(options.numbers(_MEAN, "f")), tuple(options.numbers(_STD, "f"))
        if mean and std and len(mean) in (1, len(std)) and min(std) > 0:
            means = mean * (len(std) // len(mean))
            offset = tuple(0.0 - m / s for m, s in zip(means, std, strict=True))
            return tuple(1 / each for each in std), offset
    return (), ()


def _read_labels(tensor: Table, members: Mapping[str, bytes]) -> tuple[str, ...]:
    for file in tensor.tables(_FILES):
        content = members.get(file.text(_FILE_NAME))
        if content is not None and file.number(_FILE_TYPE, "<b") in _LABELS:
            return _clean(parse_labels(content.decode("utf-8", "replace")))
    return ()


def _parse_ultralytics(content: bytes) -> FileMetadata | None:
    """Return what a file in the archive tells, if it is one of Ultralytics' (JSON or Python)."""
    text = content.decode("utf-8", "replace").strip()
    if not text.startswith("{"):
        return None
    fields = _parse_literal(text)
    return _read_ultralytics(fields) if isinstance(fields, dict) else None


def _read_ultralytics(fields: Mapping[str, Any]) -> FileMetadata | None:
    names, task = fields.get("names"), fields.get("task")
    names = _parse_literal(names) if isinstance(names, str) else names
    if not isinstance(task, str) or not isinstance(names, dict):
        return None
    try:
        labels = tuple(str(label) for _, label in sorted((int(k), v) for k, v in names.items()))
    except (TypeError, ValueError):
        return None
    return FileMetadata(
        origin=_ULTRALYTICS, labels=_clean(labels), scale=(1 / 255,), offset=(0.0,), task=task
    )


def _parse_literal(text: str) -> Any:
    """Return the value of a literal of JSON or Python; None where it is neither."""
    import json

    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None


def _clean(labels: tuple[str, ...]) -> tuple[str, ...]:
    """Return labels that may be printed; none of a list that is too long or holds others."""
    fine = len(labels) <= _MAX_LABELS and not any(map(has_controls, labels))
    return labels if fine else ()
