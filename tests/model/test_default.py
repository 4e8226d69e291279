"""``default.json``: the file and the threads of a model folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from edgeemo import Classifier
from edgeemo.errors import ModelFolderError
from edgeemo.model.folder import DEFAULT, ModelFolder

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


@pytest.fixture
def folder(tmp_path):
    for name in ("float32.tflite", "float32.onnx"):
        shutil.copy(GOLDEN / name, tmp_path)
    return ModelFolder(tmp_path)


def test_without_one_a_single_thread_is_used(folder):
    assert (folder.choose_default().file.name, folder.choose_default().threads) == (
        "float32.tflite",
        1,
    )
    assert folder.read_default() is None
    assert Classifier.load(folder.path).threads == 1


def test_the_recorded_file_and_threads_are_used(folder):
    folder.write_json(DEFAULT, {"file": "float32.onnx", "threads": 2})
    classifier = Classifier.load(folder.path)
    assert (Path(classifier.path).name, classifier.threads) == ("float32.onnx", 2)
    assert Classifier.load(folder.path, threads=1).threads == 1
    assert Classifier.load(folder.file("float32.onnx")).threads == 1


def test_a_default_written_by_hand_needs_no_threads(folder):
    folder.write_json(DEFAULT, {"file": "float32.onnx"})
    assert folder.choose_default().threads == 1


def test_the_recorded_threads_are_that_files_alone(folder):
    folder.write_json(DEFAULT, {"file": "float32.onnx", "threads": 2})
    assert folder.choose_threads("float32.onnx") == 2
    assert folder.choose_threads("float32.tflite") == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"file": "int8.onnx"}, "int8.onnx is missing; export again, or delete default.json"),
        ({"file": 3}, "default.json: names no file; delete it, or let 'edgeemo bench --pick'"),
        ({"file": ""}, "default.json: names no file"),
        ({"file": "../x/int8.onnx"}, "default.json: names no file"),
        ({"threads": 2}, "default.json: names no file"),
        ({"file": "float32.onnx", "threads": 0}, "threads must be 1 or more, not 0; delete it"),
        ({"file": "float32.onnx", "threads": "2"}, "threads must be 1 or more, not '2'"),
        ({"file": "float32.onnx", "threads": True}, "threads must be 1 or more, not True"),
    ],
)
def test_one_that_cannot_be_used_is_one_line(folder, content, message):
    folder.write_json(DEFAULT, content)
    with pytest.raises(ModelFolderError) as error:
        folder.choose_default()
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_one_that_is_no_json_is_one_line(folder):
    folder.file(DEFAULT).write_text("float32.onnx")
    with pytest.raises(ModelFolderError, match=r"default\.json: not JSON"):
        folder.choose_default()
