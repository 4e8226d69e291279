"""``edgeemo train`` and ``edgeemo recipes`` as one types them."""

from __future__ import annotations

import json
import tomllib
from contextlib import contextmanager
from pathlib import Path

import pytest

from edgeemo.dataset import draw_faces
from edgeemo.train import ARCHITECTURES, RECIPES, TrainOptions
from edgeemo.utils.options import option_fields

QUICK = ("--mode", "plain", "--size", 32, "--channels", 1, "--epochs", 1, "--batch-size", 16)


@pytest.fixture(scope="session")
def drawn(tmp_path_factory):
    return draw_faces(tmp_path_factory.mktemp("drawn") / "faces", count=40, size=32, seed=2)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_recipes_are_listed_with_what_they_set(edgeemo):
    shown = edgeemo("recipes")
    assert shown.status == 0
    assert "filters-16-32-64" in shown.out
    assert "--labels sad,happy" in " ".join(shown.out.split())
    listed = json.loads(edgeemo("recipes", "--json").out)
    assert listed["augmented-bn-64"]["sets"]["ratios"] == [0.8, 0.0, 0.2]


@pytest.mark.tensorflow
def test_a_recipe_is_one_command_and_its_options_can_be_changed(edgeemo, here, drawn):
    shown = edgeemo("train", "--recipe", "filters-16-32-64", "--data", drawn, *QUICK)
    assert shown.status == 0, shown.err
    folder = here / "models" / "faces-filters-16-32-64"
    assert json.loads((folder / "spec.json").read_text())["labels"] == ["sad", "happy"]
    used = tomllib.loads((folder / "config.toml").read_text())
    assert (used["arch"], used["size"], used["epochs"]) == ("cnn-16-32-64", 32, 1)


@pytest.mark.tensorflow
def test_ctrl_c_keeps_the_best_model_and_ends_with_130(edgeemo, here, drawn, monkeypatch):
    from edgeemo.utils.progress import Silent

    class PressesCtrlC(Silent):
        steps = 0

        def advance(self, steps=1, *, detail=""):
            self.steps += steps if detail else 0
            if self.steps > 2:
                self.steps = -1000
                raise KeyboardInterrupt

    @contextmanager
    def progress():
        yield PressesCtrlC()

    monkeypatch.setattr("edgeemo.cli.commands.train.progress", progress)
    shown = edgeemo("train", "--data", drawn, *QUICK, "--epochs", 50, "--out", "m", "--json")
    assert shown.status == 130, shown.err
    assert json.loads(shown.out)["fit"]["interrupted"]
    assert Path("m", "report.html").exists()


@pytest.mark.tensorflow
def test_the_config_that_was_written_back_trains_the_same_again(edgeemo, here, drawn):
    first = edgeemo("train", "--data", drawn, *QUICK, "--augment", "light", "--out", "a", "--json")
    again = edgeemo("train", "--config", "a/config.toml", "--out", "b", "--json")
    assert (first.status, again.status) == (0, 0)
    for name in ("history.csv", "reference.csv"):
        assert Path("a", name).read_bytes() == Path("b", name).read_bytes()
    assert json.loads(first.out)["test"] == json.loads(again.out)["test"]


@pytest.mark.tensorflow
def test_one_set_of_images_can_be_validation_and_test(edgeemo, here, drawn):
    shown = edgeemo("train", "--recipe", "augmented-bn-64", "--data", drawn, *QUICK, "--out", "m")
    assert shown.status == 0, shown.err
    assert "served as validation, too" in shown.err
    assert Path("m", "happy_sad_model.keras").samefile(Path("m", "model.keras"))


@pytest.mark.tensorflow
def test_a_model_for_photos_from_photos_and_from_crops(edgeemo, here, photos):
    assert edgeemo("data", "crop", photos, "--out", "crops").status == 0
    shown = edgeemo("train", "--data", "crops", *QUICK, "--out", "a")
    assert shown.status == 0, shown.err
    assert "crops: crops of faces (faces.json), so the model detects faces in photos" in shown.err
    shown = edgeemo("train", "--data", photos, *QUICK, "--faces", "--out", "b")
    assert "2 no-face" in shown.out
    for name, text in (("a", "margin 0; trained on crops"), ("b", "found by blaze, margin 0\n")):
        lines = [line.rstrip() + "\n" for line in edgeemo("info", name).out.splitlines()]
        assert any(text in line for line in lines)
    again = edgeemo("train", "--config", "b/config.toml", "--out", "c")
    assert again.status == 0
    assert Path("b", "reference.csv").read_bytes() == Path("c", "reference.csv").read_bytes()


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (("--recipe", "focus"), 2, "did you mean 'focal'"),
        (("--arch", "mobilenet-v5"), 2, "did you mean 'mobilenet-v"),
        (("--config", "none.toml"), 1, "none.toml: no such file"),
        (("--labels", "glad,sad"), 1, "happy"),
        (("--ratios", "0.9,0.2,0.1"), 2, "add up to 1"),
        (("--faces", "--face-model", "none.onnx"), 1, "none.onnx: cannot be read"),
        (("--face-margin", "0.2"), 2, "--face-margin requires --faces"),
        (("--cropped",), 2, "--cropped requires --faces"),
        (("--resume",), 1, "no interrupted training here"),
        (("--resume", "--out", "m"), 1, "m: no interrupted training"),
        (("--teacher", "none.keras"), 1, "none.keras: no such model"),
        (("--minutes", "2", "--workers", "2"), 2, "--workers 2 excludes --minutes"),
        (("--workers", "8..2"), 2, "--workers must be a whole number or a range such as 2..8"),
        (("--faces", "--face-detector", "blase"), 2, "did you mean 'blaze'"),
        (("--target-accuracy", "95"), 2, "--target-accuracy must be more than 0 and at most 1"),
        (("--ema", "1"), 2, "--ema must be at least 0 and less than 1, not 1.0"),
        (("--epochs", "ten"), 2, "--epochs must be a whole number, not 'ten'"),
        (("--augment", "lite"), 2, "light, strong or camera, not 'lite'; did you mean 'light'?"),
        (("--metrics", "auc,roc"), 2, "must be a list of precision, recall, binary_accuracy or"),
        (("--ratios", "a,b,c"), 2, "--ratios must be a list of 3 numbers, not 'a,b,c'"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(edgeemo, here, drawn, words, status, message):
    shown = edgeemo("train", "--data", drawn, *words)
    assert shown.status == status
    errors = [line for line in shown.err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert message in errors[0]
    assert list(here.iterdir()) == []


def test_teachers_are_named_with_commas():
    teachers = option_fields(TrainOptions)["teacher"].parse("models/a, b.keras")
    assert teachers == (Path("models/a"), Path("b.keras"))


def test_one_declaration_says_what_help_offers(edgeemo):
    shown = " ".join(edgeemo("train", "--help").out.split())
    for name in ARCHITECTURES:
        assert name in shown
    assert "--face-detector blaze|cascade|yunet" in shown
    assert f"Names: {', '.join(RECIPES)}." in shown
    for name, option in option_fields(TrainOptions).items():
        assert f"{option.flag} " in shown, name
