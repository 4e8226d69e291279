from __future__ import annotations

import pytest

from edgeemo.export import ExportedFile
from edgeemo.export.export_record import write_record
from edgeemo.model.folder import EXPORT, ModelFolder
from edgeemo.utils.files import sha256_file, write_file


@pytest.fixture
def folder(tmp_path) -> ModelFolder:
    return ModelFolder(tmp_path)


def _exported(folder, name, content=b"model"):
    path = write_file(folder.file(name), content)
    kind, _, format = name.partition(".")
    return ExportedFile(
        path=path,
        format=format,
        kind=kind,
        size_bytes=len(content),
        sha256=sha256_file(path),
        partitions=1 if format == "tflite" else None,
        warnings=("careful",) if kind == "int8" else (),
    )


def _record(folder, *names):
    files = [_exported(folder, name) for name in names]
    source = folder.file("model.keras")
    write_record(folder, files, source=source, source_sha256="ab", calibration=None)
    return folder.read_json(EXPORT)


def test_says_what_was_made_from_what(folder):
    content = _record(folder, "float32.tflite", "int8.onnx")
    assert (content["source"], content["source_sha256"]) == ("model.keras", "ab")
    first, second = content["files"]
    assert first["file"] == "float32.tflite"
    assert first["sha256"] == sha256_file(folder.file("float32.tflite"))
    assert first["size_bytes"] == 5
    assert first["partitions"] == 1
    assert "opset" not in first
    assert second["opset"] == 18
    assert second["warnings"] == ["careful"]
    assert {"edgeemo", "tf2onnx", "onnxruntime"} <= second["versions"].keys()


def test_earlier_files_stay_listed_while_they_are_unchanged(folder):
    _record(folder, "float16.tflite", "dynamic.tflite")
    write_file(folder.file("dynamic.tflite"), b"another")
    names = [entry["file"] for entry in _record(folder, "float32.tflite")["files"]]
    assert names == ["float32.tflite", "float16.tflite"]
