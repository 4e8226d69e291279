from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from edgeemo.dataset import Collection
from edgeemo.dataset.model_images import find_model_images
from edgeemo.errors import TrainingError
from edgeemo.model.keras import load_keras
from edgeemo.train import resume, train
from edgeemo.train.data.pipeline import Pixels
from edgeemo.train.data.source import (
    describe_source,
    make_source,
    name_source,
    read_source,
    record_source,
)
from edgeemo.train.data.targets import add_targets
from edgeemo.train.options.config import merge_options, read_config

HALVES = {"happy": 0.5, "sad": 0.5}


@pytest.fixture(scope="module")
def both(images, draw_classes, tmp_path_factory):
    """Two collections, the second of half the weight and with a class of shares."""
    more = draw_classes(tmp_path_factory.mktemp("more"), ("x", "angry", "happy", "sad"), 12)
    classes = {"angry": HALVES}
    return Collection(path=images), Collection(path=more, weight=0.5, classes=classes)


def test_a_source_is_recorded_as_it_is_given(tmp_path, both):
    assert record_source(both[0].path) == str(both[0].path)
    assert record_source(make_source([both[0].path])) == str(both[0].path)
    for each in (both, both[:1]):
        assert read_source(record_source(each)) == each
    assert name_source(tmp_path / "faces.zip") == "faces"
    assert name_source((both[0], both[0])) == f"{both[0].path.name}-{both[0].path.name}-2"
    assert name_source(make_source([tmp_path / "a/..", tmp_path / "b"])) == f"{tmp_path.name}-b"
    assert describe_source(both) == f"{both[0].path} and {both[1].path}"
    with pytest.raises(TypeError, match="data must be a path, or tables"):
        read_source([])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("data = 3", r"data must be a path, or tables \[\[data\]\], not 3"),
        ("[[data]]\nweight = 2", "path must be a path, not None"),
        ('[[data]]\npath = "a"\nweigth = 2', "key 'weigth' is unknown; did you mean 'weight'"),
    ],
)
def test_a_table_of_data_that_is_wrong(tmp_path, text, words):
    (tmp_path / "c.toml").write_text(text)
    with pytest.raises(TrainingError, match=rf"c\.toml: {words}"):
        read_config(tmp_path / "c.toml")


def test_targets_have_the_weight_of_the_collection(images, both):
    from edgeemo.dataset import IngestOptions, ingest_collections, open_collections

    with open_collections(both) as (root, opened):
        dataset = ingest_collections(root, opened, options=IngestOptions(classes=("happy", "sad")))
    samples = dataset.in_split("train")
    numbers = {"happy": 0, "sad": 1}
    truth = np.array([numbers.get(sample.label, -1) for sample in samples])
    rows = np.zeros((len(samples), 1, 1, 1), np.uint8)
    train_split = add_targets({"train": Pixels(rows, truth)}, dataset, soft_labels=None)["train"]
    for sample, target, label in zip(samples, train_split.targets, train_split.truth, strict=True):
        weight = 1 if sample.path.startswith(images.name) else 0.5
        assert target.sum() == weight
        if sample.label == "angry":
            assert (target[0], target[1], label) == (0.25, 0.25, 0)
        else:
            assert target[numbers[sample.label]] == weight


@pytest.mark.tensorflow
def test_a_training_on_collections(both, options, tmp_path, stopper):
    chosen = replace(options, classes=("happy", "sad"))
    whole = train(both, tmp_path / "whole", options=chosen)
    folder = whole.folder
    config = merge_options(read_config(folder.file("config.toml")))
    assert config.data == both

    found = json.loads(folder.file("report.json").read_text())["collections"]
    assert [each["weight"] for each in found] == [1, 0.5]
    assert found[1]["classes_with_shares"] == {"angry": HALVES}
    references = folder.read_references()
    assert sum(each["test"]["n"] for each in found) == len(references) == whole.report.test.n
    assert {row.label for row in references} == {"happy", "sad"}
    text = folder.file("report.md").read_text()
    assert "## Collections" in text
    assert "images of angry are trained on as 0.5 happy, 0.5 sad, and not tested on" in text
    samples = folder.read_samples()
    assert {row.split for row in samples if row.label == "angry"} == {"train"}

    source = find_model_images(folder, None)
    assert [*source.folders.values()] == [each.path for each in both]
    assert {row.path.split("/")[0] for row in samples} == {*source.folders}

    second = tmp_path / "second"
    steps = -(-sum(row.split == "train" for row in samples) // options.batch_size)
    with pytest.raises(stopper.KilledError):
        train(
            both,
            second,
            options=chosen,
            progress=stopper("Training", steps + 1, stopper.KilledError),
        )
    again = resume(second)
    for first, other in zip(
        load_keras(folder.file("model.keras")).get_weights(),
        load_keras(again.folder.file("model.keras")).get_weights(),
        strict=True,
    ):
        assert np.array_equal(first, other)
