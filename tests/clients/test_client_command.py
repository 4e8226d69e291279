"""``edgeemo export --client`` on a folder that is exported, and what it refuses. No TensorFlow."""

from __future__ import annotations

import json
import sys

import pytest


@pytest.fixture(autouse=True)
def _without_tensorflow(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", None)


def test_the_files_that_are_there_are_taken(edgeemo, place):
    shown = edgeemo("export", place.folder.path, "--client")  # verifies first
    assert shown.status == 0, shown.err
    assert "general/int8.tflite" in shown.out
    assert "40 test images" in shown.out
    again = edgeemo("export", "--client", place.folder.path, "--format", "tflite", "--json")
    content = json.loads(again.out)
    assert content["exported"] == []
    assert [each["made_of"] for each in content["clients"]["files"]] == [
        "float32.tflite",
        "int8.tflite",
    ]


def test_several_forms_and_the_array(edgeemo, folder):
    words = ("--client", "frigate,mediapipe", "--c-array")
    shown = edgeemo("export", folder.path, *words)
    assert shown.status == 0, shown.err
    for name in ("frigate/tiny/model.tflite", "mediapipe/tiny.tflite", "c-array/tiny.cc"):
        assert name in shown.out
        assert (folder.path / "client" / name).is_file()


def test_info_says_what_a_file_is_equal_to(edgeemo, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ("--client", "general,frigate", "--format", "tflite")
    assert edgeemo("export", "happy-sad", *words).status == 0
    shown = edgeemo("info", "models/happy-sad-client/general/int8.tflite")
    assert "predicts as the verified int8.tflite" in shown.out
    shown = edgeemo("info", "models/happy-sad-client/frigate/happy-sad/model.tflite")
    assert "not passed: resizes by itself" in " ".join(shown.out.split())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--client", "foo"), "--client must be a list of general, frigate or mediapipe"),
        (("--layout", "nchw"), "--layout nchw requires --client"),
        (("--client", "--layout", "nchw", "--format", "tflite"), "requires --format onnx or all"),
        (("--c-array", "--format", "onnx"), "--c-array requires --format tflite"),
    ],
)
def test_wrong_usage_is_one_line(edgeemo, folder, words, message):
    shown = edgeemo("export", folder.path, *words)
    assert shown.status == 2
    assert message in shown.err
    assert shown.err.count("\n") == 1


def test_a_missing_package_is_named(edgeemo, folder, monkeypatch):
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "flatbuffers", None)
        shown = edgeemo("export", folder.path, "--client")
        assert (shown.status, "needs flatbuffers, which is not" in shown.err) == (1, True)
    monkeypatch.setitem(sys.modules, "onnx", None)
    shown = edgeemo("export", folder.path, "--client")
    assert shown.status == 1
    assert "onnx, which is not installed" in shown.err
    assert not folder.file("client").exists()
    assert edgeemo("export", folder.path, "--client", "--format", "tflite").status == 0
