from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from edgeemo.errors import (
    DatasetError,
    ExportError,
    MissingExtraError,
    ModelFolderError,
)
from edgeemo.export import ExportOptions, export, exporter, exporting
from edgeemo.model.container import unseal
from edgeemo.model.folder import CALIBRATION, EXPORT, EXPORTED, ModelFolder
from edgeemo.runtime.classifier import Classifier
from edgeemo.utils.files import sha256_file
from edgeemo.utils.serialize import to_plain

pytestmark = pytest.mark.tensorflow

ALL = ExportOptions(int8=True, float16=True, dynamic=True, calibration_count=20)


class Notes:
    """A `Progress` that remembers."""

    def __init__(self):
        self.stages, self.details, self.notes = [], [], []

    def stage(self, name, *, total=None):
        self.stages.append((name, total))

    def advance(self, steps=1, *, detail=""):
        self.details += [detail] if detail else []

    def note(self, text):
        self.notes.append(text)


@pytest.fixture
def folder(plain_folder, tmp_path) -> ModelFolder:
    """A model folder of one's own with nothing exported."""
    return ModelFolder(shutil.copytree(plain_folder.path, tmp_path / "mine"))


@pytest.fixture(scope="module")
def done(plain_folder, tmp_path_factory):
    """A folder with everything exported, what the export returned, and what it said."""
    place = tmp_path_factory.mktemp("done") / "mine"
    folder, progress = ModelFolder(shutil.copytree(plain_folder.path, place)), Notes()
    return folder, export(folder, options=ALL, progress=progress), progress


@pytest.fixture
def unloadable(monkeypatch):
    """Whatever loads the model fails the test: refusals must come before slow work."""
    monkeypatch.setattr(
        exporting, "load_reference_model", lambda _: pytest.fail("loaded the model")
    )


def _names(folder):
    return sorted(path.name for path in folder.path.iterdir())


BARE = ["model.keras", "spec.json", "split.csv", "training.json"]


def test_every_file_is_there_as_reported(done):
    folder, files, progress = done
    assert tuple(file.path.name for file in files) == EXPORTED
    assert folder.list_exported() == [file.path for file in files]
    for file in files:
        assert file.sha256 == sha256_file(file.path)
        assert file.size_bytes == file.path.stat().st_size
        assert file.partitions == (1 if file.format == "tflite" else None)
    assert list(dict.fromkeys(progress.details))[-6:] == list(EXPORTED)
    assert _names(folder) == sorted([*BARE, *EXPORTED, EXPORT, CALIBRATION])


def test_the_spec_and_its_provenance_travel_inside(done, spec):
    folder, files, _ = done
    for file in files:
        inside = unseal(file.path).spec
        assert inside.labels == spec.labels
        assert inside.provenance.date == "2026-01-02T03:04:05Z"
        assert inside.provenance.edgeemo_version == "0.1.0"
        assert inside.provenance.source_sha256 == sha256_file(folder.file("model.keras"))


def test_every_file_predicts_as_the_reference_model(done, plain, ask, pixels):
    bounds = {"float32": 1e-5, "float16": 2e-3, "dynamic": 0.05, "int8": 0.05}
    _, files, _ = done
    for file in files:
        engine = Classifier.load(file.path).engine
        predictions = np.array([engine.run(image) for image in pixels])
        assert predictions == pytest.approx(ask(plain, pixels), abs=bounds[file.kind])


def test_the_record_names_every_file_and_the_calibration(done):
    folder, files, _ = done
    entries = folder.read_json(EXPORT)["files"]
    assert [entry["sha256"] for entry in entries] == [file.sha256 for file in files]
    assert [e["calibration"]["count"] for e in entries if e["kind"] == "int8"] == [20, 20]
    assert len(folder.file(CALIBRATION).read_text().splitlines()) == 21


def test_existing_files_are_refused_before_any_work(done, unloadable):
    folder, _, _ = done
    with pytest.raises(ModelFolderError, match=r"float32\.tflite.* --force"):
        export(folder, options=ExportOptions())


def test_missing_images_are_refused_before_the_model_is_loaded(folder, unloadable, tmp_path):
    with pytest.raises(DatasetError, match="nowhere: no such folder"):
        export(folder, options=ExportOptions(int8=True), data=tmp_path / "nowhere")
    assert _names(folder) == BARE


@pytest.mark.parametrize("package", ["tensorflow", "tf2onnx", "onnxruntime"])
def test_a_missing_package_is_named_with_its_pip_line(folder, unloadable, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=rf"{package}.*pip install .*\[train\]'"):
        export(folder, options=ExportOptions())


def test_float_needs_no_images_and_one_format_is_enough(folder):
    folder.write_json("training.json", {"data": "/nowhere"})
    (file,) = export(folder, options=ExportOptions(formats=("onnx",)))
    assert file.path.name == "float32.onnx"
    assert _names(folder) == sorted([*BARE, EXPORT, "float32.onnx"])


def test_calibration_warnings_reach_the_user_and_the_record(folder):
    progress, options = Notes(), ExportOptions(int8=True, formats=("onnx",), calibration_count=4)
    float32, int8 = export(folder, options=options, progress=progress)
    assert float32.warnings == ()
    assert [f"warning: {text}" for text in int8.warnings] == progress.notes
    assert "on only 4 images" in progress.notes[0]
    assert folder.read_json(EXPORT)["files"][1]["warnings"] == list(int8.warnings)


def test_a_network_that_learnt_nothing_is_told_apart(make_folder, plain, keras, spec, tmp_path):
    """Its dead layers have no range, and no int8 scale that the engine takes."""
    dead = keras.models.clone_model(plain)
    dead.set_weights([0 * weight - 0.1 for weight in plain.get_weights()])
    folder = make_folder(tmp_path / "m", spec, lambda place: dead.save(place / "model.keras"))
    progress = Notes()
    options = ExportOptions(int8=True, formats=("tflite",), calibration_count=20)
    with pytest.raises(ExportError, match=r"int8\.tflite .*refuses it.*learnt nothing"):
        export(folder, options=options, progress=progress)
    assert "learnt nothing" in progress.notes[0]
    assert _names(folder) == BARE


@pytest.mark.parametrize("trouble", [ExportError("no"), KeyboardInterrupt()])
def test_what_fails_half_way_leaves_nothing(folder, monkeypatch, trouble):
    passed = []

    def fail_at_the_second(*_, **__):
        if passed:
            raise trouble
        passed.append(1)
        return 1

    monkeypatch.setattr(exporter, "check", fail_at_the_second)
    with pytest.raises(type(trouble)):
        export(folder, options=ExportOptions(float16=True, formats=("tflite",)))
    assert _names(folder) == BARE


def test_a_full_disk_names_its_file_and_leaves_nothing(folder, monkeypatch):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    convert = exporting.Converter.convert

    def fill_the_disk(*args, **kwargs):
        content = convert(*args, **kwargs)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
        return content

    monkeypatch.setattr(exporting.Converter, "convert", fill_the_disk)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with pytest.raises(OSError, match="too large") as caught:
            export(folder, options=ExportOptions())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert caught.value.filename == str(folder.file("float32.tflite"))
    assert _names(folder) == BARE


FRESH = """
    import os, signal, sys
    from pathlib import Path
    from edgeemo.export import ExportOptions, export, exporter, exporting
    from edgeemo.model.folder import ModelFolder

    whole, killed = (ModelFolder(Path(place)) for place in sys.argv[1:])
    export(killed, options=ExportOptions(formats=("onnx",)))
    options = ExportOptions(int8=True, float16=True, dynamic=True, calibration_count=20)
    export(whole, options=options)
    exporter.check = lambda candidate, kind, _, **__: (
        kind == "int8" and os.kill(os.getpid(), signal.SIGKILL)
    )
    options = ExportOptions(int8=True, formats=("onnx",), calibration_count=20)
    export(killed, options=options, replace=True)
"""


def test_fresh_processes_agree_and_a_kill_leaves_whole_files(done, plain_folder, tmp_path):
    """One slow process for two promises: bytes that never change, files that are never half."""
    _, files, _ = done
    expected = {file.path.name: file.sha256 for file in files}
    whole, killed = (
        ModelFolder(shutil.copytree(plain_folder.path, tmp_path / name)) for name in ("a", "b")
    )
    process = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(FRESH), whole.path, killed.path],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONHASHSEED": "12345"},
    )
    assert (process.returncode, process.stdout, process.stderr) == (-signal.SIGKILL, "", "")
    assert {path.name: sha256_file(path) for path in whole.list_exported()} == expected

    assert [path.name for path in killed.list_exported()] == ["float32.onnx"]
    assert sha256_file(killed.file("float32.onnx")) == expected["float32.onnx"]
    assert [name for name in _names(killed) if ".partial-" in name]
    options = ExportOptions(int8=True, formats=("onnx",), calibration_count=20)
    again = export(killed, options=options, replace=True)
    assert [file.sha256 for file in again] == [expected["float32.onnx"], expected["int8.onnx"]]
    made = [CALIBRATION, EXPORT, "float32.onnx", "int8.onnx"]
    assert _names(killed) == sorted([*BARE, *made])


def test_the_record_of_this_job_is_json_of_the_result(done):
    _, files, _ = done
    assert json.loads(json.dumps([to_plain(file) for file in files]))[0]["kind"] == "float32"
