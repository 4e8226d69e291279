"""What a file or folder that somebody names as a model is, by its content. Standard library only.

Files come with wrong endings, without one, or are something else: what git leaves of a large file,
a web page, weights alone. Each is told by name, with the remedy.
"""

from __future__ import annotations

import os
from typing import Literal, TypeAlias

from edgeemo.utils.git_lfs import LFS_BEGIN, describe_pointer

Kind: TypeAlias = Literal[
    "keras", "h5", "savedmodel", "tflite", "onnx", "lfs", "empty", "weights", "architecture",
    "unpacked", "torch", "pickle", "safetensors", "numpy", "checkpoint", "graph", "tfjs", "json",
    "page", "image", "zip", "bundle",
]  # fmt: skip
"""Kind of a file or folder."""

KERAS_KINDS = ("keras", "h5", "savedmodel")
"""Kinds that ``edgeemo export`` imports."""

_SAVE = "save the whole model, as model.save('model.keras') does"
_OTHER = "edgeemo reads Keras models: a .keras or .h5 file, or a SavedModel folder"
_USELESS: dict[Kind, str] = {
    "lfs": describe_pointer(LFS_BEGIN, "model"),
    "weights": f"weights alone, without the network: {_SAVE}",
    "architecture": f"the architecture of a Keras model, without its weights: {_SAVE}",
    "unpacked": "an unpacked .keras file; zip its content again, or save the model again",
    "torch": f"a PyTorch model; {_OTHER}",
    "pickle": f"a Python pickle, which runs code when it is read; {_OTHER}",
    "safetensors": f"weights alone (safetensors); {_OTHER}",
    "numpy": f"arrays of numpy, not a model; {_OTHER}",
    "checkpoint": f"a checkpoint of TensorFlow, weights alone: {_SAVE}",
    "graph": f"a graph of TensorFlow 1; {_OTHER}",
    "tfjs": "a TensorFlow.js model; name the Keras model that it was made from",
    "json": "a JSON file, not a model",
    "page": "a web page, not the model: download the file itself",
    "image": "an image, not a model",
    "zip": "a .zip archive; unpack it and name the model inside",
    "bundle": (
        "a bundle, which runs by itself with python3; name the model folder or file that it was "
        "made from"
    ),
}
_NAMES = {"tflite": "a TFLite model", "onnx": "an ONNX model"}

_KERAS_SUFFIXES = (".keras", ".h5", ".hdf5")
_HEAD_BYTES = 1 << 12
_LONGEST_JSON = 1 << 24
_UTF_8 = b"\xef\xbb\xbf"
_HDF5 = b"\x89HDF\r\n\x1a\n"
_CONFIG = b"model_config"
"""Name of the attribute of an HDF5 file that holds the network."""
_TORCH = b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19"
_IMAGES = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8")
_ENDINGS: dict[str, Kind] = {".index": "checkpoint", ".ckpt": "checkpoint", ".pb": "graph"}


def recognise(path: str | os.PathLike[str]) -> Kind | None:
    """Return the kind of a file or folder; None where it is unknown, or cannot be read."""
    path = os.fspath(path)
    try:
        if os.path.isdir(path):  # noqa: PTH112 - pathlib is slow to import
            return _recognise_folder(set(os.listdir(path)))  # noqa: PTH208
        return _recognise_file(path) if os.path.isfile(path) else None  # noqa: PTH113
    except OSError:
        return None


def describe_useless(path: str | os.PathLike[str]) -> str:
    """Return the kind of a file or folder and the remedy, where no command takes it; else ""."""
    kind = recognise(path)
    return _USELESS.get(kind, "") if kind else ""


def describe_foreign(path: str | os.PathLike[str]) -> str:
    """Return the kind and the remedy of what is no exported file and no model folder; else "".

    Args:
        path: The file or folder; TFLite and ONNX models count as exported files.
    """
    if recognise(path) in KERAS_KINDS:
        return (
            f"a Keras model, which says neither labels nor scaling; 'edgeemo export {path} "
            "--labels ... --scale ... --data ...' makes a model folder of it"
        )
    return describe_useless(path) or _describe_inside(path)


def describe_not_keras(path: str | os.PathLike[str]) -> str:
    """Return why a file or folder cannot be imported as a Keras model, with the remedy."""
    found = describe_useless(path) or _describe_inside(path)
    if found:
        return found
    if os.path.isdir(path):  # noqa: PTH112
        return "neither a model folder (it has no spec.json) nor a SavedModel (no saved_model.pb)"
    name = _NAMES.get(recognise(path) or "")
    adopt = f"; if it is somebody else's, {suggest_adoption(path)}" if name else ""
    found = f"{name}; export makes such files of" if name else "unknown to edgeemo; export takes"
    return (
        f"a file, not a model folder, and not a .keras or .h5 file or a SavedModel: {found} a "
        f"Keras model{adopt}"
    )


def suggest_adoption(path: str | os.PathLike[str]) -> str:
    """Return the remedy for a finished TFLite or ONNX file without a specification."""
    return f"adopt it: 'edgeemo adopt {path} --labels ... --scale ...'"


def _describe_inside(folder: str | os.PathLike[str]) -> str:
    """Return which Keras files are in a folder, with the remedy; "" for none and for a file."""
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208
    except OSError:
        return ""
    found = [name for name in names if name.lower().endswith(_KERAS_SUFFIXES)]
    return f"a folder that holds {', '.join(found[:3])}; name the file" if found else ""


def _recognise_folder(names: set[str]) -> Kind | None:
    if "saved_model.pb" in names:
        return "savedmodel"
    if {"config.json", "model.weights.h5"} <= names:
        return "unpacked"
    is_checkpoint = "checkpoint" in names and any(name.endswith(".index") for name in names)
    return "checkpoint" if is_checkpoint else None


def _recognise_file(path: str) -> Kind | None:
    with open(path, "rb") as stream:  # noqa: PTH123
        head = stream.read(_HEAD_BYTES)
    readers = {_HDF5: _recognise_h5, b"PK\x03\x04": _recognise_zip, b"{": _recognise_json}
    for start, read in readers.items():
        if head.removeprefix(_UTF_8).lstrip().startswith(start) and not _is_tflite(head):
            return read(path)
    return _recognise_head(head) or _ENDINGS.get(os.path.splitext(path)[1].lower())  # noqa: PTH122


def _recognise_head(head: bytes) -> Kind | None:
    text = head.removeprefix(_UTF_8).lstrip()[:15].lower()
    is_onnx = (
        head[:1] == b"\x08" and b"\0" < head[1:2] < b" " and head[2:3] in (b"\x12", b"\x3a", b"B")
    )
    is_pickle = head[:1] == b"\x80" and head[1:2] in (b"\2", b"\3", b"\4", b"\5")
    found: dict[Kind, bool] = {
        "empty": not head,
        "lfs": head.startswith(LFS_BEGIN),
        "tflite": _is_tflite(head),
        "bundle": head.startswith(b"#!") and b"PK\x03\x04" in head,
        "page": text.startswith((b"<!doctype html", b"<html")),
        "image": head.startswith(_IMAGES),
        "numpy": head.startswith(b"\x93NUMPY"),
        "safetensors": head[8:10] == b'{"' and int.from_bytes(head[:8], "little") < _LONGEST_JSON,
        "torch": is_pickle and _TORCH in head[:16],
        "pickle": is_pickle,
        "onnx": is_onnx,
    }
    return next((kind for kind, is_kind in found.items() if is_kind), None)


def _is_tflite(head: bytes) -> bool:
    return head[4:8] == b"TFL3"


def _recognise_h5(path: str) -> Kind:
    from mmap import ACCESS_READ, mmap

    with (
        open(path, "rb") as stream,  # noqa: PTH123
        mmap(stream.fileno(), 0, access=ACCESS_READ) as content,
    ):
        return "h5" if content.find(_CONFIG) >= 0 else "weights"


def _recognise_zip(path: str) -> Kind | None:
    from zipfile import BadZipFile, ZipFile

    try:
        with ZipFile(path) as archive:
            names = set(archive.namelist())
    except (BadZipFile, ValueError, NotImplementedError):
        return None
    if "config.json" in names and any(name.endswith(".weights.h5") for name in names):
        return "keras"
    if any(name.endswith("data.pkl") for name in names):
        return "torch"
    if names and all(name.endswith(".npy") for name in names):
        return "numpy"
    return "bundle" if "__main__.py" in names else "zip"


def _recognise_json(path: str) -> Kind | None:
    import json

    if os.path.getsize(path) > _LONGEST_JSON:  # noqa: PTH202
        return "json"
    try:
        with open(path, encoding="utf-8-sig") as stream:  # noqa: PTH123
            content = json.load(stream)
    except (ValueError, RecursionError):
        return None
    keys = set(content) if isinstance(content, dict) else set()
    if keys & {"modelTopology", "weightsManifest"}:
        return "tfjs"
    return "architecture" if {"class_name", "config"} <= keys else "json"
