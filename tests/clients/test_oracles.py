"""Other programs as oracles: MediaPipe and TensorFlow Lite Micro predict what edgeemo predicts.

The programs are those of examples/clients, each run by the interpreter of its own environment.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from edgeemo import Classifier
from edgeemo.clients import ClientOptions, export_clients
from edgeemo.dataset.synthetic import MOODS, draw_image
from edgeemo.model.container import unseal

from ..client_environments import find_environment

pytestmark = pytest.mark.slow
PROGRAMS = Path(__file__).resolve().parents[2] / "examples" / "clients"


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    """Drawn faces of 12x12 pixels, in grey."""
    folder = tmp_path_factory.mktemp("faces")
    places = [folder / f"{number}.png" for number in range(6)]
    for number, place in enumerate(places):
        face = draw_image(np.random.default_rng(number), MOODS[number % 2], size=64)
        face.convert("L").resize((12, 12)).save(place)
    return places


def run(program, environment, file, images):
    """Return a line of words per image."""
    python = find_environment(environment) / "bin" / "python"
    compiled_once = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [python, PROGRAMS / program, file, *images],
        capture_output=True, text=True, timeout=120, check=False, env=compiled_once,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [line.split() for line in done.stdout.splitlines()]


def predict(file, images):
    """Return edgeemo's probabilities by label, per image."""
    classifier = Classifier.from_model(unseal(file), faces=None)
    return [classifier.predict(image).scores for image in images]


@pytest.mark.parametrize(("kind", "tolerance"), [("int8", 0), ("float32", 1e-6)])
def test_mediapipe_predicts_the_verified_probabilities(folder, faces, kind, tolerance):
    find_environment("mediapipe")
    export_clients(folder, options=ClientOptions(forms=("general",), formats=("tflite",)))
    file = folder.path / "client" / "general" / f"{kind}.tflite"
    rows = run("with_mediapipe.py", "mediapipe", file, faces)
    verified = predict(folder.path / f"{kind}.tflite", faces)
    for row, ours in zip(rows, verified, strict=True):
        theirs = {label: float(score) for label, _, score in (word.partition("=") for word in row)}
        assert set(theirs) == {"happy", "sad"}
        assert theirs["sad"] == pytest.approx(ours["sad"], abs=tolerance)
        assert theirs["happy"] == pytest.approx(
            min(ours["happy"], 255 / 256 if kind == "int8" else 1), abs=tolerance
        )


@pytest.mark.parametrize(("kind", "tolerance"), [("int8", 2 / 256), ("float32", 1e-6)])
def test_tflite_micro_predicts_the_same(folder, faces, kind, tolerance):
    find_environment("tflite-micro")
    file = folder.path / f"{kind}.tflite"
    rows = run("with_tflite_micro.py", "tflite-micro", file, faces)
    ours = [scores["sad"] for scores in predict(file, faces)]
    assert [float(value) for (value,) in rows] == pytest.approx(ours, abs=tolerance)
