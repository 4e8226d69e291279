"""Other labels or another scaling are proposed where they are clearly better, and only there."""

from __future__ import annotations

import numpy as np
import pytest

from edgeemo.evaluate.doubts import choose_doubt, find_best_order, list_alternatives
from edgeemo.model.scaling import PRESETS
from edgeemo.model.spec import ModelSpec

LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


def doubt(truth, *predictions, labels=LABELS):
    """The doubt about (N,) predictions as given, and with [-1, 1] and raw pixels."""
    activation = "softmax" if len(labels) > 2 else "sigmoid"
    spec = ModelSpec(labels=labels, height=8, width=8, activation=activation)
    scalings = (None, PRESETS["[-1,1]"], PRESETS["raw"])
    found = [
        each
        for predicted, scaling in zip(predictions, scalings, strict=False)
        for each in list_alternatives(predicted, truth, spec, scaling, tried=6)
    ]
    return choose_doubt(found, truth, spec)


@pytest.fixture
def drawn():
    return np.random.default_rng(5)


def guesses(drawn, truth, count, *, right=0.6):
    """Predictions of which a share is right, the others drawn."""
    wrong = drawn.integers(0, count, len(truth))
    return np.where(drawn.random(len(truth)) < right, truth, wrong)


def test_labels_in_another_order_are_found(drawn):
    truth = drawn.integers(0, 7, 200)
    order = np.array([3, 4, 0, 5, 6, 2, 1])  # the label of each output
    predicted = np.argsort(order)[guesses(drawn, truth, 7)]
    found = doubt(truth, predicted)
    assert found.labels == tuple(LABELS[i] for i in order)
    assert found.scaling is None
    assert found.accuracy < 0.3 < 0.5 < found.better


def test_another_scaling_is_preferred_to_both_changes(drawn):
    truth = drawn.integers(0, 7, 200)
    bad, good = drawn.integers(0, 7, 200), guesses(drawn, truth, 7)
    found = doubt(truth, bad, good, bad)
    assert (found.labels, found.scaling) == (None, PRESETS["[-1,1]"])


@pytest.mark.parametrize("count", [2, 7])
@pytest.mark.parametrize("n", [5, 20, 100, 256])
def test_chance_is_no_reason(drawn, count, n):
    for _ in range(40):
        truth = drawn.integers(0, count, n)
        predictions = [drawn.integers(0, count, n) for _ in range(3)]
        assert doubt(truth, *predictions, labels=LABELS[:count]) is None


@pytest.mark.parametrize("constant", [0, 1, 6])
def test_one_prediction_for_all_images_is_no_matter_of_labels(drawn, constant):
    truth = np.repeat([3, 4], [30, 170])  # of seven labels two have images
    assert doubt(truth, np.full(200, constant)) is None
    assert (
        doubt(np.repeat([0, 1], [180, 20]), np.full(200, constant % 2), labels=("a", "b")) is None
    )


def test_a_few_images_prove_nothing():
    truth = np.array([0, 0, 1, 1, 1])
    assert doubt(truth, 1 - truth, labels=("a", "b")) is None
    assert doubt(np.repeat(truth, 4), 1 - np.repeat(truth, 4), labels=("a", "b")) is not None


def test_of_equally_good_orders_the_given_one_is_kept():
    assert find_best_order(np.zeros((7, 7))).tolist() == list(range(7))
    assert find_best_order(np.zeros((3, 3))).tolist() == [0, 1, 2]
    swapped = np.eye(7)[[1, 0, 2, 3, 4, 5, 6]]
    assert find_best_order(swapped).tolist() == [1, 0, 2, 3, 4, 5, 6]
