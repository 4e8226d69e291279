from __future__ import annotations

import csv
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from edgeemo import __version__
from edgeemo.errors import DatasetError, ModelFolderError, TrainingError
from edgeemo.imaging.preprocess import preprocess
from edgeemo.model.folder import find_newest_folder
from edgeemo.model.keras import load_keras, load_reference_model
from edgeemo.train import TrainOptions, train
from edgeemo.utils.files import sha256_file

FILES = {
    "model.keras",
    "spec.json",
    "training.json",
    "split.csv",
    "rejected.csv",
    "history.csv",
    "reference.csv",
    "report.json",
    "report.md",
    "report.html",
    "config.toml",
    "plots",
}
PLOTS = {
    "attention.png",
    "classes.png",
    "confusion.png",
    "curves.png",
    "predictions.png",
    "reliability.png",
    "samples.png",
}


def names(folder) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.tensorflow
def test_the_folder_is_complete_and_nothing_else_is_left(trained):
    assert names(trained.path) == FILES
    assert names(trained.path / "plots") - {"mistakes.png"} == PLOTS  # if it made any
    assert names(trained.path.parent) == {trained.path.name}


@pytest.mark.tensorflow
def test_every_plot_is_an_image(trained):
    for path in (trained.path / "plots").iterdir():
        with Image.open(path) as image:
            image.load()
            assert image.format == "PNG"
            assert min(image.size) > 200


@pytest.mark.tensorflow
def test_the_spec_says_where_the_model_comes_from(trained):
    spec = trained.read_spec()
    assert (spec.labels, spec.input_shape) == (("happy", "sad"), (32, 32, 1))
    assert spec.provenance.edgeemo_version == __version__
    assert spec.provenance.source_sha256 == sha256_file(trained.file("model.keras"))
    assert spec.provenance.date.endswith("Z")


@pytest.mark.tensorflow
def test_training_json_says_how(trained, images, options):
    said = trained.read_json("training.json")
    assert said["data"] == str(images)
    assert (said["arch"], said["seed"], said["labels"]) == (options.arch, 0, ["happy", "sad"])
    assert (said["epochs"], said["epochs_run"], said["interrupted"]) == (2, 2, False)
    assert said["versions"]["edgeemo"] == __version__
    assert said["ingest"]["kept"] == len(trained.read_samples())


@pytest.mark.tensorflow
def test_the_original_answered_the_whole_test_split(trained, images):
    references = trained.read_references()
    test = [sample for sample in trained.read_samples() if sample.split == "test"]
    assert [(row.path, row.sha256, row.label) for row in references] == [
        (sample.path, sample.sha256, sample.label) for sample in test
    ]
    spec, model = trained.read_spec(), load_reference_model(trained)
    for row in references:
        image = preprocess(images / row.path, spec) * np.float32(spec.scale)
        (output,) = model.predict(image[None], verbose=0)
        assert row.scores == pytest.approx(spec.scores(output.tolist()), abs=1e-6)


@pytest.mark.tensorflow
def test_the_model_file_holds_no_optimiser_and_its_layers_have_fixed_names(trained):
    model = load_keras(trained.file("model.keras"))
    assert getattr(model, "optimizer", None) is None
    assert (model.layers[0].name, model.layers[-1].name) == ("image", "prob")
    assert trained.file("model.keras").stat().st_size < 1.2 * 4 * model.count_params() + 50_000


@pytest.mark.tensorflow
def test_the_report_says_the_same_in_json_and_in_words(trained):
    report = trained.read_json("report.json")
    page = trained.file("report.md").read_text()
    assert report["test"]["n"] == len(trained.read_references())
    assert report["model"]["parameters"] == sum(
        layer["parameters"] for layer in report["model"]["layers"]
    )
    assert "says nothing yet" in "".join(report["warnings"])
    for sentence in report["warnings"]:
        assert sentence in page
    for plot in report["plots"]:
        assert f"]({plot})" in page
        assert trained.file(plot).is_file()
    for layer in report["model"]["layers"]:
        assert f"| {layer['name']} | {layer['kind']} |" in page
    assert f"**{report['model']['parameters']:,}**" in page


@pytest.mark.tensorflow
def test_the_history_has_one_line_per_epoch(trained):
    rows = list(csv.DictReader(trained.file("history.csv").read_text().splitlines()))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert all(float(row["val_loss"]) > 0 for row in rows)


@pytest.mark.tensorflow
def test_three_classes_give_a_softmax_and_the_date_is_that_of_the_environment(
    draw_classes, tmp_path, options, monkeypatch
):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    data = draw_classes(tmp_path / "three", ("calm", "happy", "sad"), 12)
    asked = replace(options, epochs=1, labels=("sad", "happy", "calm"))
    folder = train(data, tmp_path / "out" / "deep" / "model", options=asked).folder
    spec = folder.read_spec()
    assert (spec.labels, spec.activation) == (("sad", "happy", "calm"), "softmax")
    assert spec.provenance.date == "1970-01-02T00:00:00Z"
    assert all(sum(row.scores) == pytest.approx(1, abs=1e-6) for row in folder.read_references())
    assert len(folder.read_json("report.json")["test"]["confusion"]) == 3


@pytest.mark.tensorflow
def test_ctrl_c_leaves_a_whole_folder_that_says_so(images, tmp_path, options, stopper):
    steps = -(-_count(images, tmp_path, options) // options.batch_size)
    progress = stopper("Training", steps + 1)
    folder = train(images, tmp_path / "model", options=options, progress=progress).folder
    said = folder.read_json("training.json")
    assert (said["interrupted"], said["epochs_run"], said["best_epoch"]) == (True, 1, 1)
    assert any("those of epoch 1, are kept" in note for note in progress.notes)
    assert names(folder.path) == FILES
    assert "interrupted after 1 complete epoch" in folder.file("report.md").read_text()


def _count(images, tmp_path, options) -> int:
    """How many images the training split has."""
    from edgeemo.dataset import IngestOptions, ingest_folder

    samples = ingest_folder(images, options=IngestOptions(seed=options.seed)).samples
    return sum(sample.split == "train" for sample in samples)


@pytest.mark.tensorflow
def test_ctrl_c_before_the_training_leaves_nothing(images, tmp_path, options, stopper):
    progress = stopper("Decoding the images", 1)
    with pytest.raises(KeyboardInterrupt):
        train(images, tmp_path / "model", options=options, progress=progress)
    assert names(tmp_path) == set()


KILLED = """
import os, pathlib, signal, sys
from edgeemo.train import TrainOptions, train

class Killer:
    def stage(self, name, *, total=None):
        if name == "Writing the report":
            os.kill(os.getpid(), signal.SIGKILL)
    def advance(self, steps=1, *, detail=""): pass
    def note(self, text): pass

data, out = map(pathlib.Path, sys.argv[1:])
options = TrainOptions(mode="plain", size=32, channels=1, epochs=1, batch_size=8)
train(data, out, options=options, progress=Killer())
"""


@pytest.mark.tensorflow
def test_killed_leaves_no_folder_that_looks_complete(images, tmp_path):
    out = tmp_path / "models" / "mine"
    ended = subprocess.run([sys.executable, "-c", KILLED, str(images), str(out)], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert not out.exists()
    assert all(left.name.startswith(".") for left in out.parent.iterdir())
    with pytest.raises(ModelFolderError):
        find_newest_folder(out.parent)


@pytest.mark.tensorflow
def test_an_existing_folder_is_refused_without_force_and_before_anything(images, trained):
    before = sha256_file(trained.file("model.keras"))
    with pytest.raises(ModelFolderError, match=r"exists already.*--force"):
        train(images, trained.path)
    assert sha256_file(trained.file("model.keras")) == before


def test_force_replaces_nothing_but_model_folders(images, tmp_path):
    precious = tmp_path / "thesis"
    precious.mkdir()
    (precious / "chapter1.txt").write_text("do not lose me")
    with pytest.raises(ModelFolderError, match="not a model folder"):
        train(images, precious, replace=True)
    assert (precious / "chapter1.txt").exists()


@pytest.mark.parametrize("place", [".", "models/mine"])
def test_nothing_is_written_among_the_images(images, place):
    with pytest.raises(ModelFolderError, match=r"overlaps|not a model folder"):
        train(images, images / place, replace=True)
    assert names(images) == {"happy", "sad"}


@pytest.mark.tensorflow
def test_a_place_below_a_file_is_one_clear_line(images, tmp_path, options):
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelFolderError, match="is not a folder") as caught:
        train(images, tmp_path / "file" / "model", options=options)
    assert "\n" not in str(caught.value)


@pytest.mark.tensorflow
def test_no_such_data_leaves_nothing(tmp_path):
    with pytest.raises(DatasetError):
        train(tmp_path / "nowhere", tmp_path / "models" / "mine")
    assert names(tmp_path) == set()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"arch": "cnn-bm-64"}, "did you mean 'cnn-bn-64'"),
        ({"size": 10}, "at least"),
        ({"size": 5000}, "size must be"),
        ({"epochs": 0}, "epochs must be"),
        ({"batch_size": 0}, "batch_size must be"),
        ({"seed": -1}, "seed must be"),
        ({"channels": 4}, "channels must be"),
        ({"threshold": 1.0}, "threshold must"),
    ],
)
def test_options_that_make_no_sense(images, tmp_path, changes, message):
    with pytest.raises(TrainingError, match=message) as caught:
        train(images, tmp_path / "model", options=replace(TrainOptions(mode="plain"), **changes))
    assert "\n" not in str(caught.value)
    assert names(tmp_path) == set()


def test_a_date_that_is_none_is_told_before_the_slow_work(images, tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(TrainingError, match="SOURCE_DATE_EPOCH is 'yesterday'"):
        train(images, tmp_path / "model")
    assert names(tmp_path) == set()
