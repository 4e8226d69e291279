from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeemo import Classifier, Prediction
from edgeemo.errors import EdgeEmoError, EngineError, ImageError, MissingExtraError
from edgeemo.imaging.preprocess import preprocess
from edgeemo.model.container import seal, unseal
from edgeemo.model.spec import ModelSpec

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
FILES = ("float32.tflite", "int8.tflite", "float32.onnx", "int8.onnx")


def _pixels(seed: int, spec: ModelSpec) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, spec.input_shape, np.uint8)


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "face.png"
    Image.fromarray(np.random.default_rng(7).integers(0, 256, (40, 30, 3), np.uint8)).save(path)
    return path


@pytest.mark.parametrize("name", FILES)
def test_golden_predictions(name):
    """Tiny models predict as they did when they were made."""
    classifier = Classifier.load(GOLDEN / name)
    expected = json.loads((GOLDEN / "answers.json").read_text())[name]
    for seed, score in enumerate(expected):
        prediction = classifier.predict_pixels(_pixels(seed, classifier.spec))
        assert list(prediction.scores.values())[1] == pytest.approx(score, abs=1e-6)


@pytest.mark.parametrize("name", FILES)
def test_every_kind_of_source_gets_a_prediction(name, image):
    classifier = Classifier.load(GOLDEN / name)
    prediction = classifier.predict(image)
    assert isinstance(prediction, Prediction)
    assert sum(prediction.scores.values()) == pytest.approx(1)
    assert prediction.score == prediction.scores[prediction.label]
    with Image.open(image) as opened:
        array = np.asarray(opened)
        others = [str(image), image.read_bytes(), opened]
        assert [classifier.predict(source) for source in others] == [prediction] * 3
        assert classifier.predict(array, color="rgb") == prediction


def test_int8_predictions_are_exact_steps(image):
    classifier = Classifier.load(GOLDEN / "int8.tflite")
    score = list(classifier.predict(image).scores.values())[1]
    assert (score * 256).is_integer()


def test_threads_do_not_change_the_prediction(image):
    predictions = {
        name: {Classifier.load(GOLDEN / name, threads=n).predict(image).score for n in (1, 2)}
        for name in FILES
    }
    assert all(len(scores) == 1 for scores in predictions.values())


def test_many_are_predicted_one_after_the_other(image):
    classifier = Classifier.load(GOLDEN / "int8.tflite")
    stream = classifier.predict_many(iter([image, "gone.jpg"]))
    assert next(stream) == classifier.predict(image)
    with pytest.raises(ImageError, match=r"gone\.jpg"):
        next(stream)


def test_a_file_counts_as_verified_while_its_bytes_are_those_that_passed(tmp_path):
    path = tmp_path / "int8.tflite"
    shutil.copy(GOLDEN / "int8.tflite", path)
    assert not Classifier.load(path).verified
    entry = {"file": path.name, "sha256": unseal(path).sha256, "passed": True}
    (tmp_path / "verify.json").write_text(json.dumps({"passed": True, "files": [entry]}))
    assert Classifier.load(path).verified
    (tmp_path / "verify.json").write_text(json.dumps({"files": [{**entry, "passed": False}]}))
    assert not Classifier.load(path).verified
    (tmp_path / "verify.json").write_text('{"files": [{**')
    assert not Classifier.load(path).verified


@pytest.mark.parametrize("format", ["tflite", "onnx"])
def test_a_spec_that_contradicts_the_tensors_is_refused(tmp_path, format):
    golden = unseal(GOLDEN / f"float32.{format}")
    whole = Path(golden.path).read_bytes()
    model = whole[: _model_bytes(golden.path)]
    other = ModelSpec(labels=("a", "b", "c"), height=99, width=99, activation="softmax")
    path = tmp_path / f"m.{format}"
    path.write_bytes(seal(model, other, format=format))
    with pytest.raises(EngineError, match="its input is"):
        Classifier.load(path)


def _model_bytes(path: str) -> int:
    text = Path(path).read_bytes().decode("latin-1")
    start = text.index('"model_bytes": ') + len('"model_bytes": ')
    return int(text[start : text.index(",", start)])


@pytest.mark.parametrize("format", ["tflite", "onnx"])
def test_what_only_looks_like_a_model_is_refused(tmp_path, format, spec48):
    path = tmp_path / f"m.{format}"
    path.write_bytes(
        seal(b"\x1c\0\0\0TFL3" if format == "onnx" else b"x" * 64, spec48, format=format)
    )
    with pytest.raises(EdgeEmoError, match=r"m\."):
        Classifier.load(path)


def test_a_missing_engine_names_the_pip_line(monkeypatch):
    for package, name in (
        ("onnxruntime", "int8.onnx"),
        ("ai_edge_litert.interpreter", "int8.tflite"),
    ):
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(MissingExtraError, match="pip install"):
            Classifier.load(GOLDEN / name)


def test_the_light_path_imports_nothing_heavy(image):
    code = (
        "import sys; from edgeemo import Classifier\n"
        "print(Classifier.load(sys.argv[1]).predict(sys.argv[2]).label)\n"
        "heavy = {'tensorflow', 'keras', 'typer', 'rich', 'matplotlib', 'onnx', 'scipy', 'pathlib',"
        " 'zipfile', 'csv'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    command = [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{code}"]
    shown = subprocess.run(
        [*command, GOLDEN / "int8.tflite", image], capture_output=True, text=True, check=True
    )
    assert shown.stdout.splitlines()[1] == "[]"
    assert shown.stderr == ""


def test_preprocessing_is_the_spec_of_the_file(image):
    classifier = Classifier.load(GOLDEN / "float32.tflite")
    by_hand = classifier.predict_pixels(preprocess(image, classifier.spec))
    assert classifier.predict(image) == by_hand


@pytest.mark.parametrize("name", FILES)
def test_below_the_confidence_threshold_the_prediction_is_not_sure(name, hesitant, tmp_path):
    """Whoever acts on the label alone does not act on a guess."""
    plain = Classifier.load(GOLDEN / name)
    classifier = Classifier.load(hesitant(name, tmp_path, 0.85))
    seen = set()
    for seed in range(6):
        pixels = _pixels(seed, plain.spec)
        one, other = plain.predict_pixels(pixels), classifier.predict_pixels(pixels)
        assert (other.guess, other.score, other.scores) == (one.label, one.score, one.scores)
        assert one.is_sure
        assert other.is_sure == (one.score >= 0.85)
        assert other.label == (one.label if other.is_sure else "not sure")
        seen.add(other.is_sure)
    assert seen == {True, False}


@pytest.mark.parametrize("threads", [-1, 1025, 10**17])
def test_a_number_of_threads_out_of_range_is_refused(threads):
    with pytest.raises(EngineError, match=f"threads must be 1 to 1024, not {threads}"):
        Classifier.load(GOLDEN / "int8.tflite", threads=threads)
