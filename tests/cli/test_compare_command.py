"""``edgeemo compare``: its tables and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgeemo.dataset import draw_faces

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
BOTH = (GOLDEN / "float32.tflite", GOLDEN / "int8.tflite")


@pytest.fixture(autouse=True)
def faces(tmp_path, monkeypatch):
    draw_faces(tmp_path / "faces", count=20, size=48, seed=3)
    monkeypatch.chdir(tmp_path)


def test_the_tables(edgeemo):
    shown = edgeemo("compare", *BOTH, "--data", "faces")
    assert shown.status == 0
    assert "2 models on faces: 20 images" in shown.out
    assert "Against float32.tflite, on the images for which both predict a class:" in shown.out
    assert (
        "20 images do not show which of int8.tflite and float32.tflite is better (p " in shown.out
    )
    assert shown.err.count("is not verified") == 2


def test_json(edgeemo):
    shown = edgeemo("compare", *BOTH, "--data", "faces", "--json", "-q")
    found = json.loads(shown.out)
    assert [model["name"] for model in found["models"]] == ["float32.tflite", "int8.tflite"]
    assert found["pairs"][0]["verdict"].startswith("20 images do not show")


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (f"{BOTH[0]} --data faces", 2, "two or more models are compared; 'edgeemo evaluate"),
        (f"{BOTH[0]} {BOTH[0]} --data faces", 2, "a model is named twice"),
        (f"{BOTH[0]} {BOTH[1]} --data gone", 1, "gone: no such folder or .zip file"),
        (f"{BOTH[0]} {BOTH[1]}", 1, "its test images are not listed beside it; name labelled"),
        (f"{BOTH[0]} gone.tflite --data faces", 1, "gone.tflite: no such file or folder"),
        (f"{BOTH[0]} emotions --data faces", 1, "fewer than two classes in common"),
        ("", 2, "missing argument 'MODEL...'"),
    ],
)
def test_a_mistake_is_one_line(edgeemo, words, status, says):
    shown = edgeemo("compare", *words.split())
    assert shown.status == status
    assert says in shown.err.splitlines()[-1]
    assert shown.out == ""
