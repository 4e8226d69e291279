from __future__ import annotations

from pathlib import Path

import pytest

from edgeemo.errors import TrainingError
from edgeemo.train.options.checks import check_options
from edgeemo.train.options.config import merge_options, read_config, to_toml
from edgeemo.train.options.options import KEYS, TrainOptions
from edgeemo.train.options.recipes import RECIPES

EVERYTHING = TrainOptions(
    mode="auto",
    arch="cnn-bn-64",
    size=48,
    channels=1,
    epochs=7,
    labels=("sad", "happy"),
    classes=("happy", "sad"),
    soft_labels=Path("votes.csv"),
    accept=("webp",),
    ratios=(0.8, 0.0, 0.2),
    augment="strong",
    loss="focal",
    class_weights=True,
    lr=0.01,
    minutes=1.5,
    ema=0.99,
    mixup=0.2,
    teacher=(Path("models/large"), Path("other.keras")),
    teacher_weight=0.5,
    teacher_temperature=3.0,
    metrics=("precision",),
    tensorboard=Path("logs"),
    track="mlflow:http://localhost:5000",
    target_accuracy=0.9,
    save_keras="mine.keras",
    faces=True,
    cropped=True,
    face_detector="yunet",
    face_margin=0.1,
    face_score=0.8,
    face_model=Path("yunet.onnx"),
)


def test_what_is_written_is_read_back_the_same(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(to_toml(EVERYTHING, data=Path("faces"), out=Path("models/x")))
    read = merge_options(read_config(path))
    assert (read.data, read.out) == (Path("faces"), Path("models/x"))
    assert read.options == EVERYTHING


def test_every_option_with_a_value_is_written(tmp_path):
    text = to_toml(TrainOptions(), data=Path("faces"), out=Path("models/x"))
    absent = {"labels", "classes", "soft_labels", "tensorboard", "track", "save_keras"}
    absent |= {"target_accuracy"}
    absent |= {
        "background",
        "review",
        "minutes",
        "cluster",
        "faces",
        "face_detector",
        "face_score",
        "face_model",
    }
    written = {line.partition(" = ")[0] for line in text.splitlines()[1:] if " = " in line}
    assert written == {"data", "out", *KEYS} - absent


def test_the_command_line_counts_for_more_than_the_file_and_both_than_the_recipe(tmp_path):
    path = tmp_path / "c.toml"
    path.write_text('recipe = "augmented-bn-64"\nepochs = 3\nseed = 4\n')
    options = merge_options(read_config(path), {"epochs": 9}).options
    assert (options.arch, options.epochs, options.seed) == ("cnn-bn-64", 9, 4)
    assert options.ratios == (0.8, 0.0, 0.2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epoch = 3", "key 'epoch' is unknown; did you mean 'epochs'"),
        ("epochs = 'ten'", "epochs must be a whole number, not 'ten'"),
        ("epochs = true", "epochs must be a whole number, not True"),
        ("class_weights = 1", "class_weights must be true or false, not 1"),
        ("labels = 'happy,sad'", "labels must be a list of texts, not 'happy,sad'"),
        ("ratios = ['a']", r"ratios must be a list of 3 numbers, not \['a'\]"),
        ("teacher = 'model.keras'", "teacher must be a list of paths"),
        ("lr = 'small'", "lr must be a number, not 'small'"),
        ("data = 3", "data must be a path, or tables .*, not 3"),
        ("epochs = ", "not TOML"),
        ("[training]\nepochs = 3", "key 'training' is unknown; choose from data, out, "),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path, text, message):
    path = tmp_path / "c.toml"
    path.write_text(text)
    with pytest.raises(TrainingError, match=message) as caught:
        read_config(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(TrainingError, match="no such file"):
        read_config(tmp_path / "nothing.toml")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"recipe": "focl"}, "recipe 'focl' is unknown; did you mean 'focal'"),
        (
            {"augment": "stong"},
            "augment must be none, light, strong or camera, not 'stong'; did you mean 'strong'",
        ),
        ({"arch": "mobilenet-v4"}, "did you mean 'mobilenet-v"),
        ({"loss": "bec"}, "did you mean 'bce'"),
        ({"metrics": ("precison",)}, "did you mean 'precision'"),
        ({"optimizer": "adan"}, "did you mean 'adam'"),
        ({"schedule": "cosinus"}, "did you mean 'cosine'"),
        ({"split": "by-group"}, "split must be grouped or random, not 'by-group'"),
        ({"ratios": (0.8, 0.2)}, "ratios must be a list of 3 numbers"),
        ({"from_": "imagenet"}, "edge has no ImageNet weights"),
        ({"from_": "no.h5", "arch": "mobilenet-v2"}, "no.h5: no such weights file"),
        ({"from_": "no.keras"}, "no.keras: no such model; name a model folder or a .keras file"),
        (
            {"from_": "happy-sad", "mode": "plain"},
            "its network is edge, not cnn-16-32-16; give --arch edge",
        ),
        ({"from_": "happy-sad", "arch": "edge"}, "have 1 channel, not 3; give --channels 1"),
        ({"frozen_epochs": 2, "mode": "plain"}, "--frozen-epochs requires --from"),
        ({"target_accuracy": 95.0}, "target_accuracy must be more than 0 and at most 1, not 95.0"),
        ({"label_smoothing": 1.0}, "label_smoothing must be at least 0 and less than 1, not 1.0"),
        ({"lr": 0.0}, "lr must be"),
        ({"ema": 1.0}, "ema must be at least 0 and less than 1, not 1.0"),
        ({"mixup": -0.1}, "mixup must be 0 to 100, not -0.1"),
        ({"mixup": float("nan")}, "mixup must be 0 to 100, not nan"),
        ({"teacher": (Path("no.keras"),)}, "no.keras: no such model; name a model folder or"),
        ({"teacher": (Path(__file__),)}, "a teacher is a model folder or a .keras file"),
        ({"teacher": (Path(),), "teacher_weight": 0.0}, "teacher_weight must be more than 0"),
        ({"teacher": (Path(),), "teacher_temperature": 0.0}, "teacher_temperature must be more"),
        ({"teacher_weight": 0.5}, "--teacher-weight requires --teacher"),
        ({"teacher_temperature": 2.0}, "--teacher-temperature requires --teacher"),
        (
            {"workers": 2, "minutes": 3},
            "--workers 2 excludes --minutes: leave out either",
        ),
        (
            {"workers": "2..4", "minutes": 3, "int8_aware": True, "from_": Path()},
            "--workers 2..4 excludes --minutes, --int8-aware: ",
        ),
        (
            {"cluster": "node1:6379", "tensorboard": Path("logs")},
            "--cluster excludes --tensorboard: leave out either",
        ),
        ({"save_keras": "../x.keras"}, "--save-keras must be a file name"),
    ],
)
def test_values_that_make_no_sense(given, message):
    with pytest.raises(TrainingError, match=message) as caught:
        check_options(merge_options(given).options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", list(RECIPES))
def test_every_recipe_can_be_trained(name):
    options = merge_options({"recipe": name}).options
    check_options(options)
    assert options.recipe == name
    assert options.epochs == 20


def test_the_recipes_are_the_published_projects():
    of = {name: merge_options({"recipe": name}).options for name in RECIPES}
    assert list(of) == [
        "filters-16-32-16",
        "focal",
        "filters-16-32-64",
        "same-padding",
        "augmented-bn-64",
    ]
    assert of["filters-16-32-64"].labels == ("sad", "happy")
    assert (of["focal"].loss, of["focal"].tensorboard) == ("focal", Path("logs"))
    assert of["same-padding"].ratios == (192 / 256, 32 / 256, 32 / 256)
    assert of["augmented-bn-64"].validates_on_test
    assert of["augmented-bn-64"].save_keras == "happy_sad_model.keras"
