"""A model file that crashes its engine is refused in one line, and takes nobody along."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeemo import Classifier
from edgeemo.engines import trial
from edgeemo.errors import EngineError
from edgeemo.model.container import seal, unseal

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
MODEL = GOLDEN / "int8.tflite"

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


@pytest.fixture
def crashing(tmp_path):
    """A well-formed file whose FlatBuffer ends LiteRT with SIGSEGV."""
    model = unseal(MODEL)
    content = bytearray(MODEL.read_bytes()[: MODEL.read_bytes().index(b"PK\x03\x04")])
    content[3187] = 8
    path = tmp_path / "crashing.tflite"
    path.write_bytes(seal(bytes(content), model.spec, format="tflite"))
    return path


@pytest.fixture
def copied(monkeypatch):
    """Trials in a forked process, of a model that was not tried before."""
    monkeypatch.setattr(trial, "_has_one_thread", lambda: True)
    monkeypatch.setattr(trial, "_passed", set())
    return monkeypatch


@pytest.mark.parametrize("one_thread", [True, False])
def test_a_crash_is_one_line(crashing, one_thread, monkeypatch):
    monkeypatch.setattr(trial, "_has_one_thread", lambda: one_thread)
    monkeypatch.setattr(trial, "_refuse_faulty", lambda _: None)
    with pytest.raises(EngineError, match=r"crashing\.tflite: .*crashed \(SIGSEGV\)"):
        Classifier.load(crashing)


@pytest.mark.parametrize("threads", [1, 2])
def test_what_would_crash_is_refused_with_a_reason(crashing, threads, monkeypatch):
    """Also where no process can be started for a trial."""
    monkeypatch.setattr(sys, "executable", os.devnull)
    with pytest.raises(EngineError, match=r"crashing\.tflite: .* tensor 0 is quantised as no "):
        Classifier.load(crashing, threads=threads)


def test_a_model_is_loaded_where_no_process_can_be_started(copied):
    copied.setattr(trial, "_has_one_thread", lambda: False)
    copied.setattr(sys, "executable", os.devnull)
    assert Classifier.load(MODEL).spec.labels == ("happy", "sad")


def test_the_entry_point_survives(crashing):
    command = [sys.executable, "-m", "edgeemo.runtime", crashing, "none.png"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert run.stderr.startswith(f"error: {crashing}: ")
    assert len(run.stderr.splitlines()) == 1


def test_what_a_trial_raises_is_raised_here(copied):
    def refuse(*_: object) -> None:
        raise EngineError("a.tflite: refused\twith ümlauts")

    copied.setattr(trial, "load_engine", refuse)
    with pytest.raises(EngineError, match=r"^a\.tflite: refused\twith ümlauts$"):
        trial.try_model(unseal(MODEL))


def test_a_hang_is_ended(copied):
    copied.setattr(trial, "load_engine", lambda _: time.sleep(30))
    copied.setattr(trial, "TIMEOUT_S", 1)
    with pytest.raises(EngineError, match="more than 1 seconds"):
        trial.try_model(unseal(MODEL))


def test_memory_is_limited(copied):
    copied.setattr(trial, "load_engine", lambda _: np.ones(1 << 30, np.uint8))
    copied.setattr(trial, "MAX_BYTES", 100 << 20)
    with pytest.raises(EngineError, match="not enough memory"):
        trial.try_model(unseal(MODEL))


def test_any_other_failure_is_left_to_the_caller(copied):
    copied.setattr(trial, "load_engine", lambda _: 1 / 0)
    trial.try_model(unseal(MODEL))


def test_the_same_bytes_are_tried_once(copied):
    trial.try_model(unseal(MODEL))
    copied.setattr(trial, "load_engine", lambda _: os.kill(os.getpid(), signal.SIGBUS))
    trial.try_model(unseal(MODEL))


def test_a_verified_file_is_not_tried(monkeypatch):
    monkeypatch.setattr(trial, "try_model", lambda _: pytest.fail("tried"))
    monkeypatch.setattr("edgeemo.runtime.classifier.is_verified", lambda *_, **__: True)
    assert Classifier.load(MODEL).verified


@pytest.mark.parametrize("name", ["float32.tflite", "float32.onnx"])
def test_an_engine_that_fails_to_predict_is_one_line(name):
    engine = Classifier.load(GOLDEN / name).engine
    with pytest.raises(EngineError, match=rf"{name}: the \w+ engine fails to predict: ") as error:
        engine.run(np.zeros((5, 7, 1), np.uint8))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_prediction_of_nan_is_an_error(value, tmp_path):
    from PIL import Image

    classifier = Classifier.load(MODEL)
    classifier.engine.run = lambda _: [value]
    with pytest.raises(EngineError, match=r"int8\.tflite: predicts NaN or infinity"):
        classifier.predict_pixels(np.zeros(classifier.spec.input_shape, np.uint8))
    Image.new("L", (9, 9)).save(tmp_path / "a.png")
    result = classifier.predict_result(tmp_path / "a.png")
    assert result.error.startswith(f"{tmp_path / 'a.png'}: ")


@pytest.mark.parametrize("name", ["int8.tflite", "float32.onnx"])
@pytest.mark.parametrize("one_thread", [True, False])
def test_a_file_in_the_making_is_tried(tmp_path, monkeypatch, name, one_thread):
    """An export tries it under its hidden name, which has another suffix."""
    monkeypatch.setattr(trial, "_has_one_thread", lambda: one_thread)
    monkeypatch.setattr(trial, "_passed", set())
    good = unseal(GOLDEN / name)
    partial = tmp_path / f".{name}.partial-7"
    partial.write_bytes((GOLDEN / name).read_bytes())
    trial.try_model(replace(good, path=str(partial)))
    wrong = replace(good.spec, height=good.spec.height + 1)
    content = (GOLDEN / name).read_bytes()
    length = int(content[-73:-65])
    partial.write_bytes(seal(content[:-length], wrong, format=good.format))
    with pytest.raises(EngineError, match="its input is"):
        trial.try_model(replace(good, path=str(partial), spec=wrong, sha256="0"))
