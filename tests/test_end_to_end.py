"""The main job as a person types it: train, export, verify, predict; then what may go wrong."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edgeemo.dataset import draw_faces
from edgeemo.model.folder import EXPORTED
from edgeemo.model.keras import import_keras

pytestmark = pytest.mark.tensorflow

FILES = list(EXPORTED)


def run(*words: object, cwd: Path, status: int = 0) -> subprocess.CompletedProcess[str]:
    """One command in a process of its own."""
    shown = subprocess.run(
        [sys.executable, "-m", "edgeemo.cli.start", *map(str, words)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "120"},
    )
    assert shown.returncode == status, shown.stderr
    assert "Traceback" not in shown.stderr
    return shown


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder in which a small model was trained and exported to every format."""
    folder = tmp_path_factory.mktemp("place")
    draw_faces(folder / "faces", count=60, size=48, seed=3)
    small = ("--mode", "plain", "--size", 48, "--channels", 1, "--epochs", 2)
    trained = run("train", "--data", "faces", *small, "--json", cwd=folder)
    exported = run("export", "--int8", "--float16", "--dynamic", "--json", cwd=folder)
    (folder / "trained.json").write_text(trained.stdout)
    (folder / "exported.json").write_text(exported.stdout)
    return folder


@pytest.fixture
def command(edgeemo, monkeypatch):
    """Function (*words, cwd, status): one command in this process, which knows TensorFlow."""

    def command(*words: object, cwd: Path, status: int = 0):
        monkeypatch.chdir(cwd)
        monkeypatch.setenv("COLUMNS", "120")
        shown = edgeemo(*words)
        assert shown.status == status, shown.err
        return shown

    return command


@pytest.fixture
def copy(place, tmp_path):
    """A copy of it, to spoil."""
    return Path(shutil.copytree(place, tmp_path / "copy"))


@pytest.fixture
def model(copy):
    """The model folder in the copy."""
    return copy / "models" / "faces-cnn-16-32-16"


def test_the_model_folder_holds_what_it_should(place):
    trained = json.loads((place / "trained.json").read_text())
    folder = place / trained["folder"]
    names = {path.name for path in folder.iterdir()}
    assert names >= {
        "model.keras", "spec.json", "training.json", "split.csv", "rejected.csv", "history.csv",
        "reference.csv", "report.md", "report.json", "report.html", "plots", "calibration.csv",
        "export.json", "verify.json", "verify.md", "verify.png", *FILES,
    }  # fmt: skip
    assert not [name for name in names if "partial" in name]
    assert {path.name for path in (folder / "plots").iterdir()} >= {
        "curves.png", "confusion.png", "classes.png", "samples.png", "predictions.png",
        "reliability.png",
    }  # fmt: skip
    assert trained["model"]["input_shape"] == [48, 48, 1]


def test_every_file_passed_and_counts_as_verified(place, command):
    exported = json.loads((place / "exported.json").read_text())
    assert exported["verification"]["passed"]
    assert [entry["file"] for entry in exported["verification"]["files"]] == FILES
    facts = json.loads(command("info", "--json", cwd=place).out)
    assert [entry["verified"] for entry in facts["files"]] == [True] * len(FILES)
    assert facts["default_file"] == "int8.tflite"


def test_every_file_answers_the_same_image(place, command):
    image = next((place / "faces" / "sad").iterdir())
    folder = place / "models" / "faces-cnn-16-32-16"
    scores = {}
    for name in [*FILES, "model.keras"]:
        shown = command("predict", image, "--model", folder / name, "--json", cwd=place)
        assert "not verified" not in shown.err
        scores[name] = json.loads(shown.out)["scores"]["sad"]
    original = scores["model.keras"]
    for name, score in scores.items():
        assert score == pytest.approx(original, abs=1e-5 if "float32" in name else 0.05)


def test_exporting_again_gives_the_same_bytes_and_asks_first(copy, model, command):
    before = {name: (model / name).read_bytes() for name in FILES}
    refused = command("export", "--int8", cwd=copy, status=1)
    assert "--force" in refused.err
    command("export", "--int8", "--float16", "--dynamic", "--force", cwd=copy)
    assert [name for name in FILES if (model / name).read_bytes() != before[name]] == []


def test_verify_finds_images_wherever_they_lie_now(copy, command):
    (copy / "faces").rename(copy / "elsewhere")
    lost = command("verify", cwd=copy, status=1)
    assert "--data" in lost.err
    for index, path in enumerate(sorted((copy / "elsewhere").rglob("*.*"))):
        path.rename(copy / "elsewhere" / f"renamed-{index}{path.suffix}")
    report = json.loads(command("verify", "--data", "elsewhere", "--json", cwd=copy).out)
    assert report["passed"]


def test_a_changed_file_fails_the_gate_with_status_3(copy, model, command):
    (model / "int8.tflite").write_bytes((model / "int8.tflite").read_bytes()[:-9])
    shown = command("verify", cwd=copy, status=3)
    assert "int8.tflite" in shown.err
    assert "passed" in shown.out
    predicted = command("predict", next((copy / "faces" / "sad").iterdir()), cwd=copy)
    assert "float32.tflite" not in predicted.err  # verified, so nothing to warn about


def test_a_gate_that_nothing_can_pass(copy, command):
    shown = command("verify", "--float32-max-dp", "0", "--json", cwd=copy, status=3)
    assert not json.loads(shown.out)["passed"]


def test_ones_own_model_gets_the_same_treatment(place, tmp_path, command):
    keras = import_keras()
    keras.utils.set_random_seed(1)
    network = [
        keras.Input((32, 40, 3)),
        keras.layers.Conv2D(4, 3, activation="relu"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(2, activation="softmax"),
    ]
    keras.Sequential(network).save(tmp_path / "my.keras")
    words = ("--labels", "sad,happy", "--scale", "1/127.5", "--offset", "-1", "--int8", "--json")
    shown = command("export", "my.keras", "--data", place / "faces", *words, cwd=tmp_path)
    assert json.loads(shown.out)["verification"]["passed"]
    facts = json.loads(command("info", "models/my/int8.tflite", "--json", cwd=tmp_path).out)
    assert facts["labels"] == ["sad", "happy"]
    assert (facts["height"], facts["width"], facts["channels"]) == (32, 40, 3)
    assert facts["input_type"] == "uint8, scale 0.00392156886, zero point 0"
