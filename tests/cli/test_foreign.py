from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

import edgeemo.export
from edgeemo.cli.foreign import export_foreign, run_foreign
from edgeemo.errors import ExportError, PartialExportError
from edgeemo.export import ExportOptions
from edgeemo.model.folder import ModelFolder
from edgeemo.utils import child
from edgeemo.utils.files import replacing
from edgeemo.utils.progress import Silent


def crash_while_writing(model, place, *, progress):
    progress.stage("Converting and checking")
    with replacing(place) as partial:
        partial.write_bytes(b"half")
        os.kill(os.getpid(), signal.SIGSEGV)


def test_a_crash_is_one_line_and_leaves_nothing_behind(tmp_path, monkeypatch):
    here = str(Path(__file__).parent)
    monkeypatch.setattr(child, "_CODE", f"import sys; sys.path.insert(0, {here!r}); {child._CODE}")
    monkeypatch.setattr(crash_while_writing, "__module__", "test_foreign")
    monkeypatch.setitem(sys.modules, "test_foreign", sys.modules[__name__])
    model, place = tmp_path / "mine.keras", tmp_path / "int8.tflite"
    message = r"mine\.keras: TensorFlow crashed while converting and checking \(SIGSEGV\); "
    with pytest.raises(ExportError, match=message) as caught:
        run_foreign(crash_while_writing, model, place, places=[place], progress=Silent())
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def _crash_for(monkeypatch, *files):
    """Make every export crash in one of these files, and return the options of each."""
    seen = []

    def run(function, model, *, options, progress):
        seen.append(options)
        for file in options.file_names:
            if file in files:
                raise child.ChildCrashedError("SIGSEGV", "Converting and checking", file)
        return options.file_names

    monkeypatch.setattr(child, "run_in_child", run)
    monkeypatch.setattr(edgeemo.export, "export", None)
    return seen


def test_where_one_format_crashes_the_other_is_kept(tmp_path, monkeypatch):
    seen = _crash_for(monkeypatch, "int8.tflite")
    options = ExportOptions(int8=True, float16=True)
    message = r"^int8\.tflite cannot be made: .* \(SIGSEGV\); leave out --int8, .*--format onnx"
    with pytest.raises(PartialExportError, match=message) as caught:
        export_foreign(ModelFolder(tmp_path), options=options, progress=Silent())
    assert caught.value.files == ("float32.onnx", "int8.onnx")
    assert [each.formats for each in seen] == [("tflite", "onnx"), ("onnx",)]


def test_where_both_crash_both_are_named(tmp_path, monkeypatch):
    _crash_for(monkeypatch, "int8.tflite", "int8.onnx")
    with pytest.raises(ExportError, match=r"^int8\.tflite .*; int8\.onnx cannot be made") as caught:
        export_foreign(ModelFolder(tmp_path), options=ExportOptions(int8=True), progress=Silent())
    assert not isinstance(caught.value, PartialExportError)
    assert "--format" not in str(caught.value)
