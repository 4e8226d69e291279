"""The parts of the check whose answers are known from elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

from edgeemo.dataset.check.discriminant import predict_out_of_fold
from edgeemo.dataset.check.features import FEATURES, compute_gradient_histograms
from edgeemo.dataset.check.labels import check_labels, find_contradictions


def test_histograms_tell_upright_edges_from_level_ones():
    ramp = np.tile((np.arange(64) * 4 % 256).astype(np.uint8), (64, 1))
    rows = compute_gradient_histograms(np.stack([ramp, ramp.T])).reshape(2, 64, 8)
    assert rows.shape[0] * rows.shape[1] * rows.shape[2] == 2 * FEATURES
    assert (rows[0].sum(axis=0).argmax(), rows[1].sum(axis=0).argmax()) == (0, 4)


def test_histograms_ignore_brightness_and_contrast():
    pixels = np.random.default_rng(0).integers(50, 150, (3, 64, 64)).astype(np.uint8)
    one, other = (
        compute_gradient_histograms(pixels),
        compute_gradient_histograms((pixels + 40) // 2 * 2),
    )
    assert np.abs(one.astype(int) - other).mean() < 5


def blobs(count, classes, *, apart, seed=0):
    rng = np.random.default_rng(seed)
    truth = np.arange(count) % classes
    centres = rng.normal(128, apart, (classes, 20))
    features = (centres[truth] + rng.normal(0, 12, (count, 20))).clip(0, 255).round()
    return features.astype(np.uint8), truth


@pytest.mark.parametrize("classes", [2, 5])
def test_classes_that_lie_apart_are_told_apart(classes):
    features, truth = blobs(300, classes, apart=20)
    scores = predict_out_of_fold(features, truth, np.arange(300), classes=classes)
    assert scores.shape == (300, classes)
    assert scores.sum(axis=1) == pytest.approx(np.ones(300))
    assert (scores.argmax(axis=1) == truth).mean() > 0.97


def test_it_says_nothing_of_noise():
    rng = np.random.default_rng(0)
    features = rng.integers(0, 256, (200, 60)).astype(np.uint8)
    truth = np.arange(200) % 2
    scores = predict_out_of_fold(features, truth, np.arange(200), classes=2)
    assert 0.35 < (scores.argmax(axis=1) == truth).mean() < 0.65


def test_near_duplicates_do_not_vouch_for_each_other():
    rng = np.random.default_rng(0)
    features = np.repeat(rng.integers(0, 256, (60, 200)), 4, axis=0).astype(np.uint8)
    truth = np.repeat(np.arange(60) % 2, 4)
    together = predict_out_of_fold(features, truth, np.arange(240) // 4, classes=2)
    apart = predict_out_of_fold(features, truth, np.arange(240), classes=2)
    assert (apart.argmax(axis=1) == truth).mean() > 0.9
    assert (together.argmax(axis=1) == truth).mean() < 0.7


def test_the_confident_joint():
    """Class means of the own score are 0.7 and 0.6: only the fourth image is counted to another.

    The third is called 1 with 0.55, which is less than 1's own images have on average.
    """
    scores = np.array([[0.9, 0.1], [0.85, 0.15], [0.45, 0.55], [0.1, 0.9], [0.4, 0.6], [0.4, 0.6]])
    truth = np.array([0, 0, 0, 0, 1, 1])
    scores[3] = [0.3, 0.7]
    assert find_contradictions(scores, truth) == [(3, 1)]


def test_the_strongest_contradiction_comes_first():
    features, truth = blobs(400, 3, apart=20)
    labels = np.array(["anger", "happy", "sad"])
    wrong = truth.copy()
    wrong[[7, 100, 301]] = (wrong[[7, 100, 301]] + 1) % 3
    found = check_labels(
        [str(number) for number in range(400)],
        [str(label) for label in labels[wrong]],
        classes=("anger", "happy", "sad"),
        features=features,
        groups=list(range(400)),
    )
    assert {one.path for one in found.suspects[:3]} == {"7", "100", "301"}
    for one in found.suspects[:3]:
        assert one.suggested == labels[truth[int(one.path)]]


def test_a_class_of_few_images_is_not_judged():
    features, truth = blobs(30, 2, apart=20)
    labels = [("happy", "sad")[number] for number in truth]
    found = check_labels(
        [str(number) for number in range(30)],
        labels,
        classes=("happy", "sad"),
        features=features,
        groups=list(range(30)),
    )
    assert (found.suspects, found.accuracy) == ((), None)
    assert "20 images" in found.skipped
