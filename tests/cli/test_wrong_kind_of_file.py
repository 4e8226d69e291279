"""A file of another kind than the command takes is told by name, with the command to use."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 177291376\n"
H5 = b"\x89HDF\r\n\x1a\n" + bytes(900)
COMMANDS = [
    "export {} --labels happy,sad --scale 1 --data faces",
    "export {}",
    "info {}",
    "verify {}",
    "predict faces --model {}",
    "bench {}",
    "bundle {}",
    "evaluate {} --data faces",
]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("faces/happy").mkdir(parents=True)
    Path("faces/sad").mkdir()
    return tmp_path


def line_of(shown):
    assert shown.status in (1, 2)
    assert shown.out == ""
    (line,) = [each for each in shown.err.splitlines() if each.startswith("error: ")]
    return line


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("model.h5", POINTER, "a Git LFS pointer, not the model: git lfs pull"),
        ("model.keras", POINTER, "a Git LFS pointer, not the model: git lfs pull"),
        ("int8.tflite", POINTER, "a Git LFS pointer, not the model: git lfs pull"),
        ("float32.ONNX", POINTER, "a Git LFS pointer, not the model: git lfs pull"),
        ("my.weights.h5", H5, "weights alone, without the network: save the whole model"),
        ("arch.json", b'{"class_name": "Sequential", "config": {}}', "without its weights"),
        ("model.h5", b"<!doctype html><html>", "a web page, not the model"),
    ],
)
def test_what_no_command_takes(edgeemo, command, name, content, said):
    Path(name).write_bytes(content)
    line = line_of(edgeemo(*command.format(name).split()))
    assert line.startswith(f"error: {name}: ")
    assert said in line


@pytest.mark.parametrize("command", COMMANDS[2:])
@pytest.mark.parametrize("name", ["my.h5", "MY.H5", "noending", "my.keras"])
def test_a_keras_model_names_export(edgeemo, command, name):
    Path(name).write_bytes(H5 + b"model_config")
    line = line_of(edgeemo(*command.format(name).split()))
    assert f"'edgeemo export {name} --labels ... --scale ... --data ...'" in line


@pytest.mark.parametrize("command", COMMANDS[2:])
def test_a_saved_model_names_export(edgeemo, command):
    Path("saved").mkdir()
    Path("saved/saved_model.pb").touch()
    line = line_of(edgeemo(*command.format("saved").split()))
    assert "'edgeemo export saved --labels ... --scale ... --data ...'" in line


@pytest.mark.parametrize("command", COMMANDS[:2])
@pytest.mark.parametrize("name", ["a.tflite", "a.onnx", "notes.txt", "noending"])
def test_export_says_what_it_takes(edgeemo, command, name):
    kinds = {"a.tflite": "float32.tflite", "a.onnx": "float32.onnx"}
    if name in kinds:
        shutil.copy(GOLDEN / kinds[name], name)
    else:
        Path(name).write_text("happy 0")
    line = line_of(edgeemo(*command.format(name).split()))
    assert "not a .keras or .h5 file or a SavedModel" in line


@pytest.mark.parametrize("command", COMMANDS[:2])
def test_a_folder_for_export_is_a_model_folder_or_a_saved_model(edgeemo, command):
    line = line_of(edgeemo(*command.format("faces").split()))
    assert "faces: not a model folder (it has no spec.json)" in line


@pytest.mark.parametrize("name", ["MY.KERAS", "MY.H5", "noending"])
def test_a_keras_model_of_any_name_is_asked_for_its_labels(edgeemo, name):
    Path(name).write_bytes(H5 + b"model_config")
    shown = edgeemo("export", name)
    assert shown.status == 2
    assert f"{name} does not include --labels, --scale, --data" in line_of(shown)


def test_a_scale_of_zero_is_not_a_missing_one(edgeemo):
    Path("my.h5").write_bytes(H5 + b"model_config")
    words = ("--labels", "happy,sad", "--scale", "0", "--data", "faces")
    line = line_of(edgeemo("export", "my.h5", *words))
    assert "a scaling by 0.0 with offset 0.0 is not possible" in line
