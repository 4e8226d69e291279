from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


@pytest.mark.parametrize("name", ["float32.tflite", "int8.tflite", "float32.onnx", "int8.onnx"])
def test_what_is_inside_a_file(edgeemo, name):
    shown = edgeemo("info", GOLDEN / name)
    assert shown.status == 0
    assert "happy, sad" in shown.out
    facts = json.loads(edgeemo("info", GOLDEN / name, "--json").out)
    assert facts["labels"] == ["happy", "sad"]
    assert facts["verified"] is False
    assert facts["size_bytes"] == (GOLDEN / name).stat().st_size


def test_int8_takes_raw_pixels_in_one_partition(edgeemo):
    facts = json.loads(edgeemo("info", GOLDEN / "int8.tflite", "--json").out)
    assert facts["input_type"] == "uint8, scale 0.00392156886, zero point 0"
    assert facts["xnnpack_partitions"] == 1


def test_a_broken_file_is_one_line(edgeemo, tmp_path):
    path = tmp_path / "cut.tflite"
    path.write_bytes((GOLDEN / "int8.tflite").read_bytes()[:-40])
    shown = edgeemo("info", path)
    assert shown.status == 1
    assert shown.err.startswith(f"error: {path}: carries no edgeemo specification, or was cut")
    assert shown.err.count("\n") == 1
    assert shown.out == ""


def test_a_folder_lists_its_files_even_a_broken_one(edgeemo, tmp_path, spec48):
    (tmp_path / "spec.json").write_text(spec48.to_json())
    shutil.copy(GOLDEN / "float32.tflite", tmp_path)
    (tmp_path / "int8.tflite").write_bytes(b"broken")
    facts = json.loads(edgeemo("info", tmp_path, "--json").out)
    assert [entry["file"] for entry in facts["files"]] == ["float32.tflite", "int8.tflite"]
    assert facts["default_file"] == "float32.tflite"
    assert edgeemo("info", tmp_path).status == 0


def test_a_folder_that_is_no_model_is_named(edgeemo, tmp_path):
    shown = edgeemo("info", tmp_path)
    assert shown.status == 1
    assert "not a model folder (it has no spec.json)" in shown.err


def test_the_least_confidence_is_shown(edgeemo, hesitant, tmp_path):
    model = hesitant("int8.tflite", tmp_path, 0.75)
    assert "min_confidence" in edgeemo("info", model).out
    facts = json.loads(edgeemo("info", model, "--json").out)
    assert (facts["temperature"], facts["min_confidence"]) == (1.0, 0.75)
