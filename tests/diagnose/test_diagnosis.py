"""The golden files, diagnosed. No TensorFlow."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from edgeemo import Classifier
from edgeemo.diagnose import Cause, diagnose
from edgeemo.diagnose.images import read_images
from edgeemo.errors import DatasetError, EngineError, ModelFolderError
from edgeemo.model.container import seal, unseal
from edgeemo.model.folder import ADOPTED_JSON, TRAINING
from edgeemo.utils.progress import Silent

from .conftest import COUNT, GOLDEN

FORMATS = ("tflite", "onnx")


@pytest.mark.parametrize("format", FORMATS)
def test_the_figures(golden, faces, format):
    found = diagnose(golden.path, format=format)
    assert (found.n, found.training_n, found.notes) == (COUNT, COUNT, ())
    assert [each.layer for each in found.layers] == ["conv2d", "dense"]
    classifiers = [Classifier.load(golden.file(f"{kind}.{format}")) for kind in ("int8", "float32")]
    images = [faces / each.path for each in found.worst]
    int8, float32 = ([each.predict(path) for path in images] for each in classifiers)
    differences = [
        max(abs(ours.scores[label] - theirs.scores[label]) for label in ours.scores)
        for ours, theirs in zip(int8, float32, strict=True)
    ]
    assert [each.difference for each in found.worst] == pytest.approx(differences)
    assert [each.int8_label for each in found.worst] == [each.label for each in int8]
    assert found.max_difference == pytest.approx(max(differences))
    flips = [each.is_flip for each in found.worst]
    assert flips == sorted(flips, reverse=True)
    assert sum(each.share for each in found.findings) <= 1.001


@pytest.mark.parametrize("format", FORMATS)
def test_the_roundings_of_the_file_give_its_predictions(golden, format):
    found = diagnose(golden.path, format=format)
    assert found.replay_difference <= 1 / 256
    assert found.replay_difference <= found.max_difference
    conv = found.layers[0]
    assert conv.low >= 0
    assert conv.own_sqnr_db > 40
    assert conv.weights_sqnr_db > 30


def test_the_largest_number_of_images(golden):
    found = diagnose(golden.path, images=10)
    assert (found.n, found.training_n) == (10, 10)


def test_training_images_that_are_not_there(golden, faces, tmp_path):
    some = tmp_path / "some"
    shutil.copytree(faces, some)
    for path in some.rglob("*.png"):
        if int(path.stem) >= COUNT:
            path.unlink()
    found = diagnose(golden.path, data=some)
    assert (found.n, found.training_n) == (COUNT, 0)
    (note,) = found.notes
    assert "training images are not at hand" in note


def test_other_images(golden, faces, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    for path in faces.rglob("*.png"):
        (other / path.name).write_bytes(path.read_bytes() + b" ")
    found = diagnose(golden.path, data=other, images=7)
    assert (found.n, found.training_n) == (7, 0)
    assert "none of the model's test images" in found.notes[0]
    assert {each.label for each in found.worst} == {""}


def test_a_shipped_model_needs_images(faces):
    with pytest.raises(DatasetError, match=r"does not name its images; .* with --data"):
        diagnose("happy-sad")
    found = diagnose("happy-sad", data=faces, images=6, format="tflite")
    assert "prob" in {each.layer for each in found.layers}
    assert any("no reference model" in note for note in found.notes)


def test_needs_no_tensorflow(golden):
    code = (
        "import sys; from edgeemo.diagnose import diagnose; diagnose(sys.argv[1], images=2);"
        "print({'tensorflow', 'keras', 'matplotlib', 'typer'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", code, golden.path]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        (("int8.tflite", "int8.onnx"), "has no int8 file; run 'edgeemo export .* --int8 --force'"),
        (("float32.tflite",), "float32.tflite is missing; run 'edgeemo export .* --force'"),
    ],
)
def test_a_missing_file(golden, missing, words):
    for name in missing:
        golden.file(name).unlink()
    with pytest.raises(ModelFolderError, match=words):
        diagnose(golden.path)


def test_a_format_that_is_not_there(golden):
    golden.file("int8.onnx").unlink()
    assert diagnose(golden.path, images=4).file.endswith("int8.tflite")
    with pytest.raises(ModelFolderError, match=r"has no int8\.onnx; run .*--int8 --format onnx"):
        diagnose(golden.path, format="onnx")


def test_an_adopted_file(golden):
    golden.write_json(ADOPTED_JSON, {})
    with pytest.raises(ModelFolderError, match="adopted, so there is no reference model"):
        diagnose(golden.path)


def test_a_file_of_another_model(golden, tmp_path):
    spec = unseal(golden.file("int8.tflite")).spec
    other = replace(spec, labels=("sad", "happy"))
    plain = (GOLDEN / "int8.tflite").read_bytes()
    path = tmp_path / "other.tflite"
    path.write_bytes(seal(plain[: _find_end(plain)], other, format="tflite"))
    with pytest.raises(EngineError, match="an export of another model than"):
        diagnose(golden.path, file=path)


def _find_end(sealed):
    """Return the length of the model in a sealed TFLite file."""
    start = sealed.index(b'"model_bytes": ') + len(b'"model_bytes": ')
    return int(sealed[start : sealed.index(b",", start)])


@pytest.mark.parametrize("name", ["float32.tflite", "float32.onnx"])
def test_no_int8_file(golden, name):
    with pytest.raises(EngineError, match="not an int8 file"):
        diagnose(golden.path, file=golden.file(name))


def test_a_damaged_file(golden):
    path = golden.file("int8.tflite")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(EngineError, match="damaged"):
        diagnose(golden.path)


def test_images_that_are_gone(golden, tmp_path):
    golden.write_json(TRAINING, {"data": str(tmp_path / "gone")})
    with pytest.raises(DatasetError, match="no longer there"):
        diagnose(golden.path)


def test_an_image_that_cannot_be_read(golden, faces, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(faces, data)
    (data / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    spec = unseal(golden.file("int8.tflite")).spec
    golden.file("split.csv").unlink()
    images = read_images(golden, spec, data=data, count=100, progress=Silent())
    assert len(images.test) == 2 * COUNT
    assert images.test.pixels.dtype == np.uint8


def test_a_page(golden, tmp_path):
    page = tmp_path / "page.html"
    found = diagnose(golden.path, html=page)
    text = page.read_text(encoding="utf-8")
    assert "Along the network" in text
    assert text.count("data:image/png;base64") >= 1 + len(found.worst)
    assert all(each.command in text.replace("&#39;", "'") for each in found.findings)


def test_the_command(golden, edgeemo, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    shown = edgeemo("diagnose", golden.path, "--images", "12")
    assert shown.status == 0
    table = shown.out.partition("Largest differences")[0]
    assert "conv2d" in table
    assert max(map(len, table.splitlines())) <= 80
    found = json.loads(edgeemo("diagnose", golden.path, "--images", "12", "--json").out)
    assert found["n"] == 12
    assert {each["cause"] for each in found["findings"]} <= set(Cause)


def test_an_error_is_one_line(golden, edgeemo):
    golden.file("int8.tflite").unlink()
    golden.file("int8.onnx").unlink()
    shown = edgeemo("diagnose", golden.path)
    assert (shown.status, shown.out, shown.err.count("\n")) == (1, "", 1)
