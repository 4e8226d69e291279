from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeemo.errors import SpecError
from edgeemo.model.adoption import Adoption
from edgeemo.model.detector_file import DetectorFile
from edgeemo.model.face_request import FaceRequest
from edgeemo.model.face_settings import Detector, FaceSettings
from edgeemo.model.input_spec import InputSpec
from edgeemo.model.spec import NOT_SURE, SPEC_VERSION, ModelSpec, Provenance
from edgeemo.utils.text import has_controls

MODELS = Path(__file__).resolve().parents[2] / "models"
_LABEL = st.text(min_size=1, max_size=12).filter(lambda label: not has_controls(label))
_LABELS = st.lists(_LABEL, min_size=2, max_size=6, unique=True)


@given(
    labels=_LABELS,
    height=st.integers(1, 4096),
    width=st.integers(1, 4096),
    channels=st.sampled_from([1, 3]),
    threshold=st.floats(0.01, 0.99),
    temperature=st.floats(0.01, 100),
    min_confidence=st.floats(0, 0.999),
)
def test_json_gives_the_same_spec_back(
    labels, height, width, channels, threshold, temperature, min_confidence
):
    spec = ModelSpec(
        labels=tuple(labels),
        height=height,
        width=width,
        channels=channels,
        threshold=threshold,
        temperature=temperature,
        min_confidence=min_confidence,
        activation="sigmoid" if len(labels) == 2 else "softmax",
        provenance=Provenance(edgeemo_version="1", source_sha256="ab", date="2026-01-01T00:00:00Z"),
    )
    assert ModelSpec.from_json(spec.to_json(), origin="here") == spec


ADOPTION = Adoption(scale=(1.0, 0.5, 0.25), offset=(0.0, -1.0, -2.0), bgr=True, layout="nchw")


def test_only_the_spec_of_an_adopted_model_has_a_version_that_older_runtimes_refuse():
    plain = ModelSpec(labels=("a", "b"), height=4, width=5)
    adopted = replace(plain, adopted=ADOPTION)
    assert json.loads(plain.to_json())["version"] == 1
    assert "adopted" not in json.loads(plain.to_json())
    assert json.loads(adopted.to_json())["version"] == SPEC_VERSION
    assert ModelSpec.from_json(adopted.to_json(), origin="here") == adopted
    assert adopted.find_shape_mismatch([1, 3, 4, 5], [1, 1, 1]) is None
    assert "its input is [1, 4, 5, 3]" in adopted.find_shape_mismatch([1, 4, 5, 3], [1, 1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scale": [1.0]}, "scale must be 3 finite numbers"),
        ({"scale": [1, 0, 1]}, "scale must be more than 0"),
        ({"offset": ["0", 0, 0]}, "offset: a number expected"),
        ({"layout": "hwcn"}, "layout must be nhwc or nchw"),
        ({"bgr": 1}, "bgr: true or false expected"),
        ({"more": 1}, "not a model specification"),
    ],
)
def test_a_malformed_adoption_is_refused(change, message):
    spec = ModelSpec(labels=("a", "b"), height=4, width=5, adopted=ADOPTION)
    fields = json.loads(spec.to_json())
    fields["adopted"].update(change)
    with pytest.raises(SpecError, match=message):
        ModelSpec.from_json(json.dumps(fields), origin="here")


@pytest.mark.parametrize("outputs", [[0.3], [1.0, -2.0, 700.0], [-600.0]])
def test_logits_become_probabilities(outputs):
    found = replace(ADOPTION, logits=True).to_probabilities(outputs)
    assert len(found) == len(outputs)
    assert all(0 <= each <= 1 for each in found)
    if len(outputs) == 1:
        assert found[0] == pytest.approx(1 / (1 + math.exp(-outputs[0])))
    else:
        assert sum(found) == pytest.approx(1)


@pytest.mark.parametrize(
    ("scale", "offset", "text"),
    [
        (1 / 255, 0, "pixel / 255"),
        (1, 0, "pixel"),
        (1 / 127.5, -1, "pixel / 127.5 - 1"),
        (2, 3, "pixel x 2 + 3"),
    ],
)
def test_a_scaling_in_words(scale, offset, text):
    adoption = Adoption(scale=(scale,), offset=(offset,))
    assert adoption.describe_tensor() == f"{text}, grey, NHWC"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": ["happy"]}, "two or more"),
        ({"labels": ["happy", "happy"]}, "different"),
        ({"labels": ["happy", ""]}, "non-empty"),
        ({"height": 0}, "size"),
        ({"channels": 4}, "channels"),
        ({"activation": "tanh"}, "activation"),
        ({"labels": ["a", "b", "c"]}, "sigmoid"),
        ({"threshold": 1.0}, "threshold"),
        ({"resample": "nearest"}, "unknown to this version"),
        ({"scale": 1.0}, "unknown to this version"),
        ({"temperature": 0}, "temperature must be 0.01 to 100"),
        ({"temperature": float("nan")}, "NaN is not a number"),
        ({"temperature": "2"}, "not a model specification"),
        ({"min_confidence": 1.0}, "min_confidence must be 0 to less than 1"),
        ({"min_confidence": -0.1}, "min_confidence"),
        ({"min_confidence": float("nan")}, "NaN is not a number"),
        ({"min_confidence": 0.7, "labels": ["not sure", "sure"]}, "rename the class"),
        ({"background": "neither"}, "background 'neither' is not among the labels"),
        ({"background": "sad"}, "needs two other classes"),
        ({"version": 99}, "version 99"),
        ({"version": 0}, "version 0"),
        ({"colour": "blue"}, "not a model specification"),
        ({"labels": None}, "not a model specification"),
    ],
)
def test_a_wrong_spec_is_refused_with_its_file_named(spec48, change, message):
    fields = {**json.loads(spec48.to_json()), **change}
    with pytest.raises(SpecError, match=message) as error:
        ModelSpec.from_json(json.dumps(fields), origin="folder/spec.json")
    assert "folder/spec.json" in str(error.value)


@pytest.mark.parametrize("text", ["", "[]", "7", "{}", '"x"', "{"])
def test_what_is_no_spec_is_refused(text):
    with pytest.raises(SpecError):
        ModelSpec.from_json(text, origin="x")


def test_the_threshold_itself_predicts_the_second_label(spec48):
    assert [spec48.decide(spec48.scores([p])) for p in (0.0, 0.4999, 0.5, 1.0)] == [0, 0, 1, 1]


def test_more_labels_predict_the_first_of_the_largest():
    spec = ModelSpec(labels=("a", "b", "c"), height=8, width=8, activation="softmax")
    assert spec.decide(spec.scores([0.2, 0.4, 0.4])) == 1


def test_without_confidence_the_json_is_that_of_version_1(spec48):
    fields = json.loads(spec48.to_json())
    assert fields["version"] == 1
    assert not {"temperature", "min_confidence"} & set(fields)


@pytest.mark.parametrize("change", [{"temperature": 1.5}, {"min_confidence": 0.7}])
def test_what_an_older_runtime_would_not_obey_it_is_made_to_refuse(spec48, change):
    spec = replace(spec48, **change)
    assert json.loads(spec.to_json())["version"] == 2
    assert ModelSpec.from_json(spec.to_json(), origin="here") == spec


@given(
    p=st.floats(0, 1),
    threshold=st.floats(0.01, 0.99),
    thresholds=st.lists(st.floats(0, 0.999), min_size=2, max_size=2),
)
def test_a_higher_confidence_threshold_never_makes_it_sure(p, threshold, thresholds):
    low, high = (
        ModelSpec(labels=("a", "b"), height=8, width=8, threshold=threshold, min_confidence=each)
        for each in sorted(thresholds)
    )
    scores = low.scores([p])
    decided = low.labels[low.decide(scores)]
    predictions = [spec.choose_label(scores) for spec in (low, high)]
    assert predictions in ([decided, decided], [decided, NOT_SURE], [NOT_SURE, NOT_SURE])
    assert low.guess(scores) == high.guess(scores) == low.decide(scores)


@given(st.lists(st.floats(0, 1), min_size=3, max_size=3))
def test_without_a_confidence_threshold_every_prediction_is_sure(scores):
    spec = ModelSpec(labels=("a", "b", "c"), height=8, width=8, activation="softmax")
    assert spec.choose_label(scores) == spec.labels[spec.decide(scores)]


def test_the_confidence_threshold_itself_is_sure(spec48):
    spec = replace(spec48, min_confidence=0.75)
    predictions = [spec.choose_label(spec.scores([p])) for p in (0.25, 0.2501, 0.7499, 0.75)]
    assert predictions == ["happy", NOT_SURE, NOT_SURE, "sad"]


def test_a_class_may_be_called_so_where_every_prediction_is_sure():
    spec = ModelSpec(labels=("sure", NOT_SURE), height=8, width=8)
    assert spec.choose_label((0.1, 0.9)) == NOT_SURE


NEITHER = ModelSpec(
    labels=("happy", "neither", "sad"),
    height=8,
    width=8,
    activation="softmax",
    background="neither",
)


@given(st.lists(st.floats(0, 1), min_size=3, max_size=3), st.floats(0, 0.999))
def test_the_background_is_predicted_and_never_guessed(scores, threshold):
    spec = replace(NEITHER, min_confidence=threshold)
    happy, neither, sad = scores
    guess = "happy" if happy >= sad else "sad"
    assert spec.labels[spec.guess(scores)] == guess
    label = spec.choose_label(scores)
    if neither > max(happy, sad):
        assert label == "neither"
    else:
        assert label in (guess, NOT_SURE, "neither")
        assert (label == "neither") == (neither == max(scores) and neither > happy)


def test_the_background_travels_and_an_older_runtime_refuses_it():
    assert json.loads(NEITHER.to_json())["version"] == 5
    assert ModelSpec.from_json(NEITHER.to_json(), origin="here") == NEITHER
    assert NEITHER.classes == ("happy", "sad")


def test_an_unset_field_of_a_request_keeps_the_models_value(spec48):
    own = FaceSettings(detector="cascade", margin=0.1, cropped=True)
    model = replace(spec48, faces=own)
    assert model.with_faces(FaceRequest(margin=0.3)).faces == replace(own, margin=0.3)
    assert model.with_faces(FaceRequest(detector="blaze")).faces == replace(own, detector="blaze")
    assert model.with_faces(FaceRequest(enabled=True)).faces == own
    assert model.with_faces(FaceRequest()).faces == own
    assert model.with_faces(FaceRequest(enabled=False)).faces is None
    assert spec48.with_faces(FaceRequest()).faces is None
    file = DetectorFile(content=b"\x08", name="x.onnx")
    yunet = FaceRequest(file=file)
    assert yunet.detector is Detector.YUNET
    assert model.with_faces(yunet).faces == replace(own, detector="yunet", file_sha256=file.sha256)
    back = FaceRequest(detector="blaze")
    assert model.with_faces(yunet).with_faces(back).faces == replace(own, detector="blaze")
    sure = FaceRequest(min_score=0.9)
    assert model.with_faces(back).with_faces(sure).faces.min_score == 0.9
    assert model.with_faces(back).with_faces(sure).with_faces(yunet).faces.min_score is None
    assert spec48.with_faces(FaceRequest(margin=0.3)).faces == FaceSettings(
        margin=0.3, cropped=True
    )


def test_a_minimum_score_is_obeyed_or_refused(spec48):
    model = replace(spec48, faces=FaceSettings(margin=0.1))
    assert json.loads(model.to_json())["version"] == 3
    sure = replace(spec48, faces=FaceSettings(min_score=0.8))
    assert json.loads(sure.to_json())["version"] == 4
    assert ModelSpec.from_json(sure.to_json(), origin="here") == sure
    with pytest.raises(SpecError, match=r"minimum score of a face must be 0 to 1, not 1\.5"):
        FaceSettings(min_score=1.5)
    with pytest.raises(SpecError, match="face detector cascade has no scores"):
        FaceSettings(detector="cascade", min_score=0.5)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"detector": "blase"}, "face detector 'blase' is unknown; did you mean 'blaze'"),
        ({"detector": "yunet"}, "face detector yunet requires its file"),
        ({"margin": 3.0}, "margin must be -0.3 to 2, not 3"),
        ({"min_score": 2.0}, "minimum score of a face must be 0 to 1"),
        ({"enabled": False, "margin": 0.1}, "--no-faces excludes"),
        (
            {"detector": "blaze", "file": DetectorFile(content=b"\x08", name="x")},
            "face detector blaze takes no file",
        ),
    ],
)
def test_a_request_that_contradicts_itself_is_refused(fields, message):
    with pytest.raises(SpecError, match=message):
        FaceRequest(**fields)


def test_the_json_keeps_the_format_of_exported_files():
    """The bytes in files that were exported before, whatever the fields are called in Python."""
    shipped = (MODELS / "happy-sad" / "spec.json").read_text(encoding="utf-8")
    spec = ModelSpec.from_json(shipped, origin="spec.json")
    assert spec.faces.min_score == 0.7
    assert spec.to_json() == shipped.rstrip("\n")


def test_a_model_specification_is_an_input_specification(spec48):
    plain = InputSpec(height=48, width=48, channels=1)
    shared = {name: getattr(spec48, name) for name in vars(plain)}
    assert InputSpec(**shared) == plain
    assert spec48 != plain
    with pytest.raises(SpecError, match="size must be 1 to 4096 pixels, not 0x8"):
        InputSpec(height=0, width=8)
