from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from edgeemo.errors import TrainingError
from edgeemo.model.keras import load_keras
from edgeemo.model.spec import ModelSpec
from edgeemo.train import resume, train
from edgeemo.train.data.batches import make_training_dataset
from edgeemo.train.data.mixup import Mixup
from edgeemo.train.data.pipeline import Pixels, TrainingData
from edgeemo.train.loop.distillation import make_student
from edgeemo.train.loop.fit import fit
from edgeemo.train.loop.losses import balance_targets, compute_class_weights
from edgeemo.train.networks.architectures import build

pytestmark = pytest.mark.tensorflow

THREE = ModelSpec(labels=("a", "b", "c"), height=32, width=32, channels=1, activation="softmax")


def fit_tiny(spec, train_pixels, options, *, epochs=1):
    data = TrainingData(train=train_pixels, validation=train_pixels.head(16), spec=spec)
    options = replace(options, arch="cnn-4", epochs=epochs)
    network = lambda: build("cnn-4", input_shape=spec.input_shape, classes=len(spec.labels))  # noqa: E731
    model, fitted = fit(network, data, options=options)
    return model.get_weights(), fitted.history[-1]


@pytest.mark.parametrize(
    "changes",
    [
        {"label_smoothing": 0.1, "augment": "light"},
        {"loss": "focal", "mixup": 0.4, "class_weights": True, "ema": 0.9},
    ],
)
@pytest.mark.parametrize("classes", [2, 3])
def test_distributions_of_one_class_train_as_labels(noise, spec32, options, classes, changes):
    pixels = noise(40)
    spec = spec32 if classes == 2 else THREE
    changed = replace(options, **changes)
    hard = fit_tiny(spec, pixels, changed)
    targets = np.eye(classes, dtype=np.float32)[pixels.truth]
    soft = fit_tiny(spec, replace(pixels, targets=targets), changed)
    for first, second in zip(hard[0], soft[0], strict=True):
        np.testing.assert_allclose(first, second, atol=2e-5)
    assert hard[1].loss == pytest.approx(soft[1].loss, rel=1e-4)
    assert hard[1].accuracy == soft[1].accuracy
    assert hard[1].val_loss == pytest.approx(soft[1].val_loss, rel=1e-4)


def test_a_distribution_is_learnt(spec32, options):
    """Every image half and half: the least loss is ln 2, and the network comes near to it."""
    rows = np.random.default_rng(0).integers(0, 256, (64, 32, 32, 1)).astype(np.uint8)
    pixels = Pixels(rows, np.zeros(64, np.int64), targets=np.full((64, 2), 0.5, np.float32))
    _, epoch = fit_tiny(spec32, pixels, options, epochs=8)
    assert epoch.loss == pytest.approx(np.log(2), abs=0.02)


def test_targets_are_mixed_as_the_images(spec32):
    rows = np.arange(40, dtype=np.uint8)[:, None, None, None] * np.ones((1, 32, 32, 1), np.uint8)
    shares = np.arange(40, dtype=np.float32) / 255
    pixels = Pixels(rows, np.zeros(40, np.int64), targets=np.stack([shares, 1 - shares], axis=1))
    made = make_training_dataset(
        pixels, spec=spec32, batch_size=16, seed=5, epochs=range(1), mixup=Mixup(alpha=0.4)
    )
    for images, truth in made.as_numpy_iterator():
        np.testing.assert_allclose(images[:, 0, 0, 0], truth["target"][:, 0], atol=1e-6)
        np.testing.assert_allclose(truth["target"].sum(axis=1), 1, atol=1e-6)


def test_classes_are_balanced_by_what_is_learnt_of_them():
    truth = np.array([0, 0, 0, 1])
    weights = compute_class_weights(truth, 3)
    balanced = balance_targets(np.eye(3, dtype=np.float32)[truth])
    np.testing.assert_allclose(balanced.sum(axis=1), [weights[label] for label in truth])
    np.testing.assert_allclose(balanced.sum(axis=0), [2, 2, 0])


def test_without_distributions_nothing_is_added_to_a_step(options, spec32):
    network = build("cnn-4", input_shape=spec32.input_shape, classes=2)
    assert make_student(network, options=options, spec=spec32, ema=None, teachers=()) is network


@pytest.fixture(scope="module")
def votes(images, tmp_path_factory):
    """Nine of ten for the label of each image but one in each class, of which one has no row."""
    file = tmp_path_factory.mktemp("votes") / "votes.csv"
    rows = [
        f"{label}/{path.name},{9 if label == 'happy' else 1},{1 if label == 'happy' else 9}"
        for label in ("happy", "sad")
        for path in sorted((images / label).iterdir())[1:]
    ]
    file.write_text("\n".join(["path,happy,sad", *rows, "x.png,1,1"]) + "\n")
    return file


def test_a_training_on_votes_can_be_resumed(images, votes, options, tmp_path, stopper):
    changed = replace(options, soft_labels=votes, mixup=0.2)
    whole = train(images, tmp_path / "whole", options=changed)
    assert f'soft_labels = "{votes}"' in (tmp_path / "whole/config.toml").read_text()
    report = json.loads((tmp_path / "whole/report.json").read_text())["soft_labels"]
    assert report["counts"]["unused_rows"] == 1
    assert report["agreement"]["images"] in (2, 3, 4)
    text = (tmp_path / "whole/report.md").read_text()
    assert "## Soft labels" in text
    assert "images on whose label the answers agree" in text
    record = json.loads((tmp_path / "whole/training.json").read_text())
    assert record["soft_labels_sha256"] == report["sha256"]

    second = tmp_path / "second"
    steps = -(-sum(each.split == "train" for each in whole.folder.read_samples()) // 8)
    with pytest.raises(stopper.KilledError):
        train(
            images,
            second,
            options=changed,
            progress=stopper("Training", steps + 1, stopper.KilledError),
        )
    kept = votes.read_text()
    votes.write_text(kept.replace("x.png,1,1", "x.png,1,2"))
    with pytest.raises(TrainingError, match=r"votes\.csv changed since the training started"):
        resume(second)
    votes.write_text(kept)
    again = resume(second)
    for first, other in zip(
        load_keras(whole.folder.file("model.keras")).get_weights(),
        load_keras(again.folder.file("model.keras")).get_weights(),
        strict=True,
    ):
        assert np.array_equal(first, other)
