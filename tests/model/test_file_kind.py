from __future__ import annotations

import io
import json
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeemo.model.file_kind import (
    describe_foreign,
    describe_not_keras,
    describe_useless,
    recognise,
)

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 177291376\n"
HDF5 = b"\x89HDF\r\n\x1a\n" + bytes(900)


def packed(**files):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("_0_", "/").replace("_1_", "."), content)
    return stream.getvalue()


def image():
    stream = io.BytesIO()
    Image.new("L", (9, 9)).save(stream, "PNG")
    return stream.getvalue()


def array():
    stream = io.BytesIO()
    np.save(stream, np.zeros(3))
    return stream.getvalue()


KERAS = packed(config_1_json="{}", metadata_1_json="{}", model_1_weights_1_h5="")
FILES = {
    "lfs": POINTER,
    "empty": b"",
    "keras": KERAS,
    "h5": HDF5 + b"model_config",
    "weights": HDF5 + b"layer_names",
    "architecture": json.dumps({"class_name": "Functional", "config": {}}).encode(),
    "tfjs": json.dumps({"format": "layers-model", "modelTopology": {}}).encode(),
    "json": b'\xef\xbb\xbf{"a": 1}',
    "torch": packed(archive_0_data_1_pkl="x", archive_0_version="3"),
    "pickle": pickle.dumps([1, 2]),
    "numpy": array(),
    "safetensors": (40).to_bytes(8, "little") + b'{"a":{"dtype":"F32"}}',
    "page": b"\n<!DOCTYPE html><html>",
    "image": image(),
    "zip": packed(a_1_txt="x"),
    "bundle": b"#!/usr/bin/env python3\n" + packed(__main___1_py="x"),
    "tflite": (GOLDEN / "float32.tflite").read_bytes(),
    "onnx": (GOLDEN / "float32.onnx").read_bytes(),
    None: b"import keras\n",
}


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("name", ["model", "model.keras", "MODEL.H5", "model.tflite", "a.onnx"])
def test_a_file_is_what_it_holds_whatever_its_name(tmp_path, kind, name):
    (tmp_path / name).write_bytes(FILES[kind])
    assert recognise(tmp_path / name) == kind


@pytest.mark.parametrize("kind", FILES)
def test_a_cut_file_is_no_error(tmp_path, kind):
    for length in (1, 2, 3, 8, 9, 11, 40, 200):
        (tmp_path / "model").write_bytes(FILES[kind][:length])
        recognise(tmp_path / "model")
        assert "\n" not in describe_not_keras(tmp_path / "model")


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (("saved_model.pb", "variables"), "savedmodel"),
        (("config.json", "metadata.json", "model.weights.h5"), "unpacked"),
        (("checkpoint", "model.index", "model.data-00000-of-00001"), "checkpoint"),
        (("photo.jpg",), None),
    ],
)
def test_a_folder_is_what_it_holds(tmp_path, names, kind):
    for name in names:
        (tmp_path / name).touch()
    assert recognise(tmp_path) == kind


def test_suffixes_tell_what_content_does_not(tmp_path):
    for name, kind in {"model.ckpt.index": "checkpoint", "frozen.pb": "graph"}.items():
        (tmp_path / name).write_bytes(b"\0\1\2 anything")
        assert recognise(tmp_path / name) == kind


def test_a_pipe_or_nothing_is_nothing(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert recognise(tmp_path / "pipe") is None
    assert recognise(tmp_path / "gone") is None
    assert describe_useless(tmp_path / "gone") == ""


def test_a_pointer_of_git_is_told_with_the_remedy(tmp_path):
    (tmp_path / "model.h5").write_bytes(POINTER)
    assert describe_useless(tmp_path / "model.h5") == (
        "a Git LFS pointer, not the model: git lfs pull"
    )


def test_what_can_be_exported_is_told_with_the_command(tmp_path):
    (tmp_path / "model").write_bytes(KERAS)
    assert f"'edgeemo export {tmp_path / 'model'} --labels" in describe_foreign(tmp_path / "model")


def test_a_folder_around_a_keras_file_names_the_file(tmp_path):
    (tmp_path / "keras_model.h5").write_bytes(FILES["h5"])
    (tmp_path / "labels.txt").touch()
    assert describe_foreign(tmp_path) == "a folder that holds keras_model.h5; name the file"
    assert describe_not_keras(tmp_path) == "a folder that holds keras_model.h5; name the file"
