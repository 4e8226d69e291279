from __future__ import annotations

import math

import numpy as np
import pytest

from edgeemo.model.spec import ModelSpec
from edgeemo.train.data.augmentations import AUGMENTATIONS
from edgeemo.train.data.batches import make_training_dataset
from edgeemo.train.data.mixup import Mixup
from edgeemo.train.data.pipeline import Pixels
from edgeemo.train.loop.distillation import make_student
from edgeemo.train.loop.losses import make_loss
from edgeemo.train.networks.architectures import build
from edgeemo.train.options.options import TrainOptions

pytestmark = pytest.mark.tensorflow

THREE = ModelSpec(labels=("a", "b", "c"), height=1, width=1, channels=1, activation="softmax")


def numbered(count: int) -> Pixels:
    """Images whose only pixel is their number, of classes in turn."""
    rows = np.arange(count, dtype=np.uint8).reshape(-1, 1, 1, 1)
    return Pixels(rows, np.arange(count) % 3)


def batches(mixup, *, epochs=range(1), seed=5, size=16, spec=THREE):
    made = make_training_dataset(
        numbered(40), spec=spec, batch_size=size, seed=seed, epochs=epochs, mixup=mixup
    )
    return list(made.as_numpy_iterator())


@pytest.mark.parametrize("alpha", [1e-4, 0.2, 1.0, 30.0])
def test_images_and_what_they_count_are_mixed_in_the_same_shares(alpha):
    plain = make_training_dataset(numbered(40), spec=THREE, batch_size=16, seed=5, epochs=range(1))
    pairs = zip(batches(Mixup(alpha=alpha)), plain.as_numpy_iterator(), strict=True)
    for (images, (own, other), (share, rest)), (before, truth) in pairs:
        assert np.array_equal(own, truth)  # each image is the stronger one once
        assert sorted(other) == sorted(truth)
        assert share.dtype == np.float32
        assert np.all((share >= 0.5) & (share <= 1))
        np.testing.assert_allclose(share + rest, 1, atol=1e-6)
        # What is mixed in is an image of the batch, of the class that is said to be.
        there = before.ravel()
        mixed_in = (images.ravel() - share * there) / np.maximum(rest, 1e-9)
        for value, label, weight in zip(mixed_in, other, rest, strict=True):
            if weight > 1e-3:
                found = np.abs(there - value) < 1e-3
                assert label in truth[found]


def test_the_shares_are_those_of_the_beta_distribution():
    shares = np.concatenate(
        [share for _, _, (share, _) in batches(Mixup(alpha=0.2), epochs=range(60), size=40)]
    )
    assert shares.size == 2400
    # A half and the mean distance from it, 2 a ** (2 a) / (B(a, a) (2 a) ** (2 a + 1)).
    a = 0.2
    beta = math.gamma(a) ** 2 / math.gamma(2 * a)
    away = 2 * a ** (2 * a) / (beta * (2 * a) ** (2 * a + 1))
    assert shares.mean() == pytest.approx(0.5 + away, abs=0.015)
    assert len(np.unique(shares)) > 1500


def test_seed_and_epoch_fix_the_mixing():
    def flat(made):
        return np.concatenate([np.concatenate([i.ravel(), s]) for i, _, (s, _) in made])

    mixup = Mixup(alpha=0.4)
    both = batches(mixup, epochs=range(2))
    assert np.array_equal(flat(both), flat(batches(mixup, epochs=range(2))))
    assert np.array_equal(flat(both[3:]), flat(batches(mixup, epochs=range(1, 2))))
    assert not np.array_equal(flat(both[:3]), flat(both[3:]))
    assert not np.array_equal(flat(both[:3]), flat(batches(mixup, seed=6)))


def test_each_half_counts_what_its_class_does():
    weights = (0.5, 2.0, 7.0)
    plain = batches(Mixup(alpha=1.0))
    weighed = batches(Mixup(alpha=1.0, weights=weights))
    for (_, truths, shares), (_, same, counts) in zip(plain, weighed, strict=True):
        for truth, share, again, count in zip(truths, shares, same, counts, strict=True):
            assert np.array_equal(truth, again)
            np.testing.assert_allclose(count, share * np.take(weights, truth), rtol=1e-6)


def test_images_are_mixed_after_they_were_augmented(noise, spec32):
    def made(**more):
        return next(
            make_training_dataset(
                noise(16, 1), spec=spec32, batch_size=16, seed=5, epochs=range(1), **more
            ).as_numpy_iterator()
        )

    augmented, _ = made(augmentation=AUGMENTATIONS["light"])
    mixed, _, (share, rest) = made(augmentation=AUGMENTATIONS["light"], mixup=Mixup(alpha=1.0))
    number = int(np.argmax(rest))
    mixed_in = (mixed[number] - share[number] * augmented[number]) / rest[number]
    assert np.abs(augmented - mixed_in).max(axis=(1, 2, 3)).min() < 1e-4


@pytest.mark.parametrize("name", ["bce", "focal"])
@pytest.mark.parametrize("classes", [2, 3])
def test_the_loss_is_that_of_both_images_in_their_shares(name, classes):
    spec = ModelSpec(
        labels=("a", "b", "c")[:classes],
        height=32,
        width=32,
        channels=1,
        activation="sigmoid" if classes == 2 else "softmax",
    )
    criterion = make_loss(name, spec=spec, label_smoothing=0.1)
    model = build("edge-c4d", input_shape=spec.input_shape, classes=classes)
    options = TrainOptions(mixup=0.2)
    learner = make_student(model, options=options, spec=spec, ema=None, teachers=())
    learner.compile(loss=criterion)
    images = np.random.default_rng(0).random((5, 32, 32, 1), np.float32)
    truths = np.array([0, 1, 1, 0, 1]), np.array([1, 1, 0, 0, classes - 1])
    shares = np.array([0.5, 0.6, 0.9, 1.0, 0.7], np.float32)

    def shaped(truth):
        return truth[:, None].astype(np.float32) if classes == 2 else truth

    answers = model.predict(images, verbose=0)
    expected = np.mean(
        [
            share * float(criterion(shaped(truths[0])[[row]], answers[[row]]))
            + (1 - share) * float(criterion(shaped(truths[1])[[row]], answers[[row]]))
            for row, share in enumerate(shares)
        ]
    )
    found = learner.compute_loss(
        images, tuple(map(shaped, truths)), answers, (shares, 1 - shares), training=True
    )
    assert float(found) == pytest.approx(expected, rel=1e-5)
