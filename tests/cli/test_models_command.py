"""``edgeemo models``, and the first line of ``edgeemo predict``."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from PIL import Image

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


@pytest.fixture
def models(tmp_path, monkeypatch, spec48):
    """A folder of two models, of which "second" is the newer, and the working directory."""
    monkeypatch.chdir(tmp_path)
    for seconds, name in enumerate(("first", "second")):
        folder = tmp_path / "models" / name
        folder.mkdir(parents=True)
        shutil.copy(GOLDEN / "float32.tflite", folder)
        (folder / "spec.json").write_text(spec48.to_json())
        (folder / "training.json").write_text(json.dumps({"data": "faces"}))
        accuracy = {"value": 0.65, "low": 0.433, "high": 0.819, "n": 20}
        (folder / "report.json").write_text(json.dumps({"test": {"accuracy": accuracy}}))
        os.utime(folder / "spec.json", (seconds, seconds))
    Image.new("RGB", (60, 60), (90, 40, 20)).save(tmp_path / "image.png")
    return Path("models")


def test_every_model_is_listed_and_the_one_that_predicts_is_marked(edgeemo, models):
    shown = edgeemo("models")
    assert shown.status == 0
    lines = shown.out.splitlines()
    assert [line.split()[0] for line in lines[2:6]] == ["second", "first", "happy-sad", "emotions"]
    assert lines[2].startswith("second *")
    assert "0.650 (0.433 to 0.819)" in lines[2]
    assert lines[2].endswith("faces")
    assert "yes" in lines[4]
    assert shown.err == (
        "predict takes models/second: the newest; 'edgeemo models --default NAME' settles one\n"
    )


def test_the_settled_model_predicts_and_newest_goes_back(edgeemo, models):
    shown = edgeemo("models", "--default", "first")
    assert "predict takes models/first: the default" in shown.err
    assert json.loads((models / "default-model.json").read_text()) == {"model": "first"}
    first = edgeemo("predict", "image.png").err.splitlines()[0]
    assert first == "model: models/first, the default of 'edgeemo models --default'"
    assert "happy-sad, which edgeemo includes" in _settle(edgeemo, "happy-sad")
    assert "models/first, the default" in _settle(edgeemo, "models/first")
    assert "models/second, the newest" in _settle(edgeemo, "newest")
    assert not (models / "default-model.json").exists()


def _settle(edgeemo, name):
    """Settle a model; return the first line of the predictions that follow."""
    assert edgeemo("models", "--default", name).status == 0
    return edgeemo("predict", "image.png").err.splitlines()[0]


def test_the_first_line_of_predict_says_which_model_and_why(edgeemo, models):
    shown = edgeemo("predict", "image.png")
    assert shown.err.splitlines()[0] == (
        "model: models/second, the newest under models/ (accuracy 0.650 on 20 test images, not "
        "verified); 'edgeemo models' lists all, --default settles one"
    )
    assert "model: " not in edgeemo("predict", "image.png", "-q").err
    assert "model: " not in edgeemo("predict", "image.png", "--model", "models/first").err
    shutil.rmtree(models)
    shown = edgeemo("predict", "image.png")
    assert shown.err.startswith("model: happy-sad, which edgeemo includes (")


def test_a_newer_model_that_is_not_exported_is_passed_over_and_named(edgeemo, models):
    (models / "second" / "float32.tflite").unlink()
    first = edgeemo("predict", "image.png").err.splitlines()[0]
    assert first.startswith("model: models/first, the newest under models/ (accuracy 0.650")
    assert "(models/second is newer, but not exported: 'edgeemo export models/second')" in first
    assert "models/second is newer, but not exported" in edgeemo("models").err
    shutil.rmtree(models / "first")
    first = edgeemo("predict", "image.png").err.splitlines()[0]
    assert first == (
        "model: happy-sad, which edgeemo includes (models/second is newer, but not exported: "
        "'edgeemo export models/second')"
    )


def test_a_settled_model_that_is_gone_is_a_warning(edgeemo, models):
    edgeemo("models", "--default", "first")
    shutil.rmtree(models / "first")
    shown = edgeemo("predict", "image.png", "-q")
    assert shown.status == 0
    assert shown.err.startswith("warning: the default model first is gone from models")
    found = json.loads(edgeemo("models", "--json").out)
    assert (found["chosen"], found["reason"]) == ("models/second", "newest")


def test_without_a_folder_of_models_the_included_ones_are_listed(edgeemo, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shown = edgeemo("models")
    assert "included with edgeemo; no other can predict" in shown.err
    assert [line.split()[0] for line in shown.out.splitlines()[2:4]] == ["happy-sad", "emotions"]
    assert edgeemo("models", "--default", "emotions").status == 0
    assert Path("models/default-model.json").is_file()


@pytest.mark.parametrize(
    ("name", "says"),
    [("secnd", "model 'secnd' is unknown; did you mean 'second'?"), ("../models", "is unknown")],
)
def test_an_unknown_model_is_not_settled(edgeemo, models, name, says):
    shown = edgeemo("models", "--default", name)
    assert shown.status == 1
    assert says in shown.err
    assert not (models / "default-model.json").exists()


def test_what_is_malformed_is_named(edgeemo, models):
    (models / "first" / "spec.json").write_text("{")
    shown = edgeemo("models")
    assert shown.status == 0
    assert "warning: models/first/spec.json: not a model specification" in shown.err
    assert "unreadable" in shown.out
    (models / "default-model.json").write_text('{"model": 3}')
    shown = edgeemo("models")
    assert shown.status == 1
    assert "models/default-model.json: names no model; delete it" in shown.err


def test_info_shows_accuracy_verification_and_the_card(edgeemo, models):
    found = json.loads(edgeemo("info", "happy-sad", "--json").out)
    assert found["accuracy"]["n"] > 1000
    assert found["verification"].startswith("passed: ")
    assert found["model_card"].endswith("happy-sad/MODEL_CARD.md")
    assert "reference model" in edgeemo("info", "happy-sad").out
    for words in (("models/first",), ("models/first/float32.tflite",)):
        found = json.loads(edgeemo("info", *words, "--json").out)
        assert found["accuracy"] == {"value": 0.65, "low": 0.433, "high": 0.819, "n": 20}
        assert found["verification"] == "not verified: run 'edgeemo verify'"
        assert found["model_card"] is None
    (models / "first" / "report.html").touch()
    found = json.loads(edgeemo("info", "models/first", "--json").out)
    assert (found["model_card"], found["report"]) == (None, "models/first/report.html")
    assert "models/first/report.html" in edgeemo("info", "models/first").out
