"""The targets `spec` and `container`: JSON files of a model folder, and exported files."""

from __future__ import annotations

import hashlib
import json
import math
import random
from functools import cache
from typing import TYPE_CHECKING, Any

from benchmarks.reliability.fuzz_oracle import make_scratch_folder, require
from edgeemo.dataset.write.faces_json import read_faces_json
from edgeemo.model.container import seal, unseal, unseal_bytes
from edgeemo.model.face_request import FaceRequest
from edgeemo.model.face_settings import Detector, FaceSettings
from edgeemo.model.folder import ModelFolder
from edgeemo.model.spec import NOT_SURE, ModelSpec, Provenance
from edgeemo.model.trailer import append_metadata, append_zip
from edgeemo.model.verified import read_verification
from edgeemo.utils.strict_json import parse_json
from edgeemo.utils.text import has_controls

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeemo.model.container import Format, SealedModel

_MODELS: dict[Format, bytes] = {
    "tflite": b"\x1c\0\0\0TFL3" + bytes(20),
    "onnx": b"\x08\x0a\x12\x07edgeemo",
}
_SEAL_BYTES = 83
_SHA256 = "0123456789abcdef" * 4
SPECS = (
    ModelSpec(height=48, width=48, channels=1, labels=("happy", "sad")),
    ModelSpec(
        height=96, width=64, labels=("anger", "fear", "joy"), activation="softmax", temperature=1.7,
        min_confidence=0.6, provenance=Provenance(edgeemo_version="1", date="2026-01-01"),
    ),
    ModelSpec(
        height=24, width=24, labels=("a", "b"), threshold=0.4,
        faces=FaceSettings(
            detector=Detector.YUNET, margin=0.25, file_sha256=_SHA256, min_score=0.7
        ),
    ),
)  # fmt: skip


def _read_spec(data: bytes) -> None:
    spec = ModelSpec.from_json(data, origin="spec.json")
    _require_meaning(json.loads(_without_mark(data)), spec)


def _read_json(data: bytes) -> None:
    """Read any JSON: another reader must read the same from it."""
    try:
        value = parse_json(data)
    except ValueError as error:
        require(bool(str(error)), "no reason")
        return
    require(repr(value) == repr(json.loads(_without_mark(data))), "another value")


def _read_folder(name: str) -> Callable[[bytes], None]:
    """Return the check of a JSON file of a model folder."""
    read: dict[str, Callable[[ModelFolder], Any]] = {
        "default.json": ModelFolder.read_default,
        "training.json": ModelFolder.read_training,
        "verify.json": _read_verification,
        "faces.json": lambda folder: read_faces_json(folder.path),
    }

    def check(data: bytes) -> None:
        path = make_scratch_folder() / name
        path.write_bytes(data)
        try:
            read[name](ModelFolder(path.parent))
        finally:
            path.unlink()

    return check


def _read_verification(folder: ModelFolder) -> None:
    for each in read_verification(folder.path):
        numbers = (each.n, each.max_difference, *(each.accuracy or ()))
        require(all(number is None or math.isfinite(number) for number in numbers), "no number")
        require(bool(each.figures) and isinstance(each.passed, bool), "no figures")


_SPEC_MODES: tuple[Callable[[bytes], None], ...] = (
    _read_spec, _read_json,
    *map(_read_folder, ("default.json", "training.json", "verify.json", "faces.json")),
)  # fmt: skip


def check_spec(data: bytes) -> None:
    """Read JSON as the file that the first byte chooses.

    Raises:
        EdgeEmoError: If it is refused.
    """
    if data:
        _SPEC_MODES[data[0] % len(_SPEC_MODES)](data[1:])


def list_spec_seeds() -> tuple[bytes, ...]:
    """Return the first inputs of `check_spec`."""
    texts = [spec.to_json().encode() for spec in SPECS]
    figures = {"value": 0.9, "low": 0.8, "high": 0.95}
    entry = {
        "file": "int8.tflite", "sha256": _SHA256, "kind": "int8", "passed": True,
        "measured": {"n": 40, "max_difference": 0.1, "accuracy": {"candidate": figures}},
    }  # fmt: skip
    training = {
        "arch": "small", "data": "faces", "seed": 0, "epochs_run": 9, "best_epoch": 7,
        "scale": 0.5, "offset": -1,
    }  # fmt: skip
    faces = {"detector": "blaze", "margin": 0.1, "cropped": True, "min_score": 0.5}
    folder = [{"file": "int8.tflite", "threads": 2}, training, {"files": [entry]}, faces]
    return (
        *(b"\0" + text for text in texts),
        *(b"\1" + text for text in texts),
        *(bytes([2 + mode]) + json.dumps(value).encode() for mode, value in enumerate(folder)),
    )


def _open_raw(format: Format) -> Callable[[bytes], None]:
    """Return the check of a whole file."""

    def check(data: bytes) -> None:
        _open(data, format)
        path = make_scratch_folder() / f"raw.{format}"
        path.write_bytes(data)
        require(unseal(path).sha256 == hashlib.sha256(data).hexdigest(), "another digest")

    return check


def _open_trailer(format: Format) -> Callable[[bytes], None]:
    """Return the check of what is between model and seal, with a seal that fits."""

    def check(data: bytes) -> None:
        _open(_seal(_MODELS[format], data), format)

    return check


def _open_entry(format: Format) -> Callable[[bytes], None]:
    """Return the check of the JSON inside, with everything around it right."""
    write = append_zip if format == "tflite" else append_metadata

    def check(data: bytes) -> None:
        text = data.decode("utf-8", "replace")
        model = _MODELS[format]
        whole = write(model, text, "a\nb\n", b" " * _SEAL_BYTES)
        opened = _open(_seal(model, whole[len(model) : -_SEAL_BYTES]), format)
        _require_meaning(json.loads(_without_mark(text.encode()))["spec"], opened.spec)

    return check


def _open_patched(format: Format) -> Callable[[bytes], None]:
    """Return the check of changed bytes under an unchanged digest: each input is a few of them."""

    def check(data: bytes) -> None:
        content = bytearray(_sealed_seeds(format)[data[0] % len(SPECS)] if data else b"")
        for at in range(1, len(data) - 2, 3):
            place = int.from_bytes(data[at : at + 2], "big")
            content[place % len(content)] = data[at + 2]
        _open(bytes(content), format)
        require(bytes(content) in _sealed_seeds(format), "a changed file is accepted")

    return check


CONTAINER_MODES: tuple[Callable[[bytes], None], ...] = tuple(
    make(format)
    for make in (_open_raw, _open_trailer, _open_entry, _open_patched)
    for format in _MODELS
)
ENTRY_MODES = (4, 5)
"""Modes of `check_container` whose input is JSON."""


def check_container(data: bytes) -> None:
    """Open an exported file, or make one of the input, as the first byte chooses.

    Raises:
        EdgeEmoError: If it is refused.
    """
    if data:
        CONTAINER_MODES[data[0] % len(CONTAINER_MODES)](data[1:])


def list_container_seeds() -> tuple[bytes, ...]:
    """Return the first inputs of `check_container`."""
    seeds: list[bytes] = []
    for number, (format, model) in enumerate(_MODELS.items()):
        for which, spec in enumerate(SPECS):
            sealed = _sealed_seeds(format)[which]
            entry = json.dumps({"model_bytes": len(model), "spec": json.loads(spec.to_json())})
            trailer = sealed[len(model) : -_SEAL_BYTES]
            patch = random.Random(which).randbytes(6)
            inputs = (sealed, trailer, entry.encode(), bytes([which]) + patch)
            seeds += [bytes([2 * mode + number]) + each for mode, each in enumerate(inputs)]
    return tuple(seeds)


@cache
def _sealed_seeds(format: Format) -> tuple[bytes, ...]:
    return tuple(seal(_MODELS[format], spec, format=format) for spec in SPECS)


def _seal(model: bytes, trailer: bytes) -> bytes:
    """Return model and trailer with a seal that fits."""
    start = b"edgeemo 2 %08d " % (len(trailer) + _SEAL_BYTES)
    content = model + trailer + start
    return content + hashlib.sha256(content).hexdigest().encode()


def _open(content: bytes, format: Format) -> SealedModel:
    """Open an exported file; if it is accepted, its digest must be that of all before it."""
    opened = unseal_bytes(content, name=f"model.{format}")
    digest = hashlib.sha256(content[:-64]).hexdigest().encode()
    require(content[-64:] == digest, "a wrong digest is accepted")
    require(opened.sha256 == hashlib.sha256(content).hexdigest(), "another digest")
    require(opened.size_bytes == len(content) and opened.content == content, "another content")
    _require_sound(opened.spec)
    return opened


def _require_meaning(fields: Any, spec: ModelSpec) -> None:
    """Require that a specification says what its JSON does, and is sound."""
    known = {name: getattr(spec, name) for name in fields if name not in ("version", "faces")}
    known["labels"], known["provenance"] = list(spec.labels), vars(spec.provenance)
    for name, value in fields.items():
        if name == "provenance":
            require(value.items() <= known[name].items(), "another provenance")
        elif name in known:
            same = value == known[name] and isinstance(value, bool) == isinstance(known[name], bool)
            require(same, f"another {name}")
    _require_sound(spec)


def _require_sound(spec: ModelSpec) -> None:
    """Require that a specification can be used, and gives itself when it is written and read."""
    require(ModelSpec.from_json(spec.to_json(), origin="again") == spec, "another specification")
    require(not any(map(has_controls, spec.labels)), "a label with control characters")
    numbers = (spec.height, spec.width, spec.channels)
    require(all(type(number) is int for number in numbers), "a size that is no whole number")
    require(spec.find_shape_mismatch([1, *spec.input_shape], [1, spec.output_count]) is None, "")
    scores = spec.scores([0.9] + [0.1] * (spec.output_count - 1))
    require(spec.choose_label(scores) in (*spec.labels, NOT_SURE), "an unknown label")
    require(spec.with_faces(FaceRequest(enabled=False)).faces is None, "faces")
    if spec.faces:
        require(bool(spec.for_photos().crops_faces and spec.faces.text), "no faces")


def _without_mark(data: bytes) -> bytes:
    return data.removeprefix(b"\xef\xbb\xbf")
