"""``export.json``: the record of the exported files, written when all are in place."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from edgeemo import __version__
from edgeemo.errors import ModelFolderError
from edgeemo.export.onnx_float32 import OPSET
from edgeemo.model.folder import EXPORT, EXPORTED
from edgeemo.utils.files import sha256_file
from edgeemo.utils.serialize import to_plain
from edgeemo.utils.strict_json import require, require_fields

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edgeemo.export.calibration_images import Calibration
    from edgeemo.export.options import ExportedFile
    from edgeemo.model.folder import ModelFolder

_PACKAGES = {
    "tflite": ("tensorflow", "keras", "ai-edge-litert"),
    "onnx": ("tensorflow", "keras", "tf2onnx", "onnx", "onnxruntime"),
}


def write_record(
    folder: ModelFolder,
    files: Sequence[ExportedFile],
    *,
    source: Path,
    source_sha256: str,
    calibration: Calibration | None,
) -> Path:
    """Write ``export.json``.

    An entry holds the fields of `ExportedFile`, the opset (ONNX), the facts of the calibration
    images (int8) and the versions of the packages that made the file. It is valid while its SHA-256
    is that of the file: entries of earlier exports stay as long as their files are unchanged.

    Args:
        folder: The model folder.
        files: The files of this export.
        source: Path of the reference model.
        source_sha256: SHA-256 of the reference model.
        calibration: The calibration of int8; None without int8.

    Returns:
        Path of ``export.json``.
    """
    entries = {entry["file"]: entry for entry in _read_earlier(folder)}
    entries |= {file.path.name: _build_entry(file, calibration) for file in files}
    return folder.write_json(
        EXPORT,
        {
            "source": source.name,
            "source_sha256": source_sha256,
            "files": [entries[name] for name in EXPORTED if name in entries],
        },
    )


def _read_earlier(folder: ModelFolder) -> list[dict[str, Any]]:
    try:
        entries = [
            require_fields(entry, {"file": str, "sha256": str})
            for entry in require(folder.read_json(EXPORT).get("files", []), list, "files")
        ]
    except ValueError as error:
        raise ModelFolderError(
            f"{folder.file(EXPORT)}: malformed ({error}); delete it, and export again"
        ) from None
    present = {path.name: path for path in folder.list_exported()}
    return [
        entry
        for entry in entries
        if entry.get("file") in present
        and sha256_file(present[entry["file"]]) == entry.get("sha256")
    ]


def _build_entry(file: ExportedFile, calibration: Calibration | None) -> dict[str, Any]:
    entry = {"file": file.path.name, **to_plain(file)}
    del entry["path"]
    for name in ("quantisation", "choice"):
        if entry[name] is None:
            del entry[name]
    if file.format == "onnx":
        entry["opset"] = OPSET
    if file.kind == "int8" and calibration is not None:
        entry["calibration"] = calibration.facts
    entry["versions"] = {
        "edgeemo": __version__,
        "python": platform.python_version(),
        **{package: _find_version(package) for package in _PACKAGES[file.format]},
    }
    return entry


def _find_version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # such as TensorFlow under another name
        return "unknown"
