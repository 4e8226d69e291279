"""``edgeemo tune`` as a person would see it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

_SMALL = (
    "--epochs", "1", "--sizes", "24", "--arch", "cnn", "--filters", "2,4", "--augment", "none",
    "--lr", "0.001", "--channels", "1",
)  # fmt: skip


@pytest.fixture
def faces(tmp_path, monkeypatch):
    """The current folder with 12 images each of two classes in faces/."""
    for number, label in enumerate(("happy", "sad")):
        (tmp_path / "faces" / label).mkdir(parents=True)
        for index in range(12):
            drawn = np.random.default_rng(1000 * number + index)
            coarse = np.clip(drawn.normal(70 + 110 * number, 45, (6, 6, 3)), 0, 255)
            image = Image.fromarray(coarse.astype(np.uint8)).resize((40, 36), 3)
            image.save(tmp_path / "faces" / label / f"{index}.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.tensorflow
def test_it_ends_with_a_table_and_a_model_folder(edgeemo, faces):
    shown = edgeemo("tune", "--data", "faces", "--trials", 2, *_SMALL)
    assert shown.status == 0, shown.err
    assert "The best of 2 trials: 2 completed" in shown.out
    assert "models/tuned-faces" in shown.out
    assert "Warning" not in shown.err
    assert (faces / "models/tuned-faces/plots/tune-history.png").exists()
    assert (faces / "models/tuned-faces.study").exists()
    again = edgeemo("tune", "--data", "faces", "--trials", 2, "--search-only", "--json", *_SMALL)
    content = json.loads(again.out)
    assert [trial["state"] for trial in content["trials"]] == ["complete"] * 2
    assert content["folder"] is None
    assert content["best"]["trial"] in content["front"]
    changed = edgeemo("tune", "--data", "faces", "--search-only", *_SMALL, "--epochs", 2)
    assert changed.status == 1
    assert "epochs 1 before, 2 now" in changed.err


@pytest.mark.tensorflow
def test_limits_that_nothing_keeps_end_with_status_3(edgeemo, faces):
    shown = edgeemo(
        "tune", "--data", "faces", "--trials", 1, "--max-size-kb", 1, "--search-only", *_SMALL
    )
    assert shown.status == 3
    assert "no network is within the limits; the nearest, trial " in shown.err.splitlines()[-1]


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        pytest.param(
            ("--storage", "missing/s.db"),
            1,
            "missing/s.db: the study cannot be stored",
            marks=pytest.mark.tensorflow,
        ),
        (("--objective", "acuracy"), 2, "did you mean 'accuracy'"),
        (("--second", "weight"), 2, "must be none, size, params or macs, not 'weight'"),
        (("--sizes", "48,x"), 2, "must be a list of whole numbers, not '48,x'"),
        (("--lr", "1,2,3"), 2, "lr must be the lowest and the highest learning rate"),
        (("--arch", "cnn,mobilnet-v2"), 2, "did you mean 'mobilenet-v2'"),
    ],
)
def test_a_mistake_is_one_line(edgeemo, faces, words, status, message):
    shown = edgeemo("tune", "--data", "faces", *_SMALL, *words)
    assert shown.status == status
    assert message in shown.err


@pytest.mark.tensorflow
def test_the_config_file_names_what_is_not_searched(edgeemo, faces):
    (faces / "mine.toml").write_text('epochs = 1\nsize = 24\nchannels = 1\naugment = "light"\n')
    shown = edgeemo(
        "tune", "--data", "faces", "--config", "mine.toml", "--arch", "cnn-2-2-2-d8", "--trials", 1,
        "--search-only", "--json",
    )  # fmt: skip
    assert shown.status == 0, shown.err
    best = json.loads(shown.out)["best"]
    assert (best["size"], best["augment"]) == (24, "light")
