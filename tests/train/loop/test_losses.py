from __future__ import annotations

import numpy as np
import pytest

from edgeemo.errors import TrainingError
from edgeemo.model.keras import import_keras
from edgeemo.model.spec import ModelSpec
from edgeemo.train.loop.losses import (
    LOSSES,
    OPTIMIZERS,
    SCHEDULES,
    compute_class_weights,
    default_lr,
    make_loss,
    make_optimizer,
)
from edgeemo.train.networks.architectures import get_architecture

TWO = ModelSpec(labels=("happy", "sad"), height=32, width=32, channels=1)
THREE = ModelSpec(labels=("a", "b", "c"), height=32, width=32, channels=1, activation="softmax")

P = np.array([0.9, 0.2, 0.6, 0.3], np.float32)
TRUE = np.array([1, 0, 0, 1])
SHARES = np.array([[0.7, 0.2, 0.1], [0.3, 0.3, 0.4], [0.1, 0.8, 0.1]], np.float32)
CLASSES = np.array([0, 2, 2])


def of_two(name, smoothing=0.0) -> float:
    value = make_loss(name, spec=TWO, label_smoothing=smoothing)
    return float(value(TRUE[:, None].astype(np.float32), P[:, None]))


def of_three(name, smoothing=0.0) -> float:
    return float(make_loss(name, spec=THREE, label_smoothing=smoothing)(CLASSES, SHARES))


@pytest.mark.tensorflow
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_cross_entropy_of_two_classes_by_hand(smoothing):
    target = TRUE * (1 - smoothing) + smoothing / 2
    by_hand = -np.mean(target * np.log(P) + (1 - target) * np.log(1 - P))
    assert of_two("bce", smoothing) == pytest.approx(by_hand, rel=1e-5)


@pytest.mark.tensorflow
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_cross_entropy_of_three_classes_by_hand(smoothing):
    target = np.eye(3)[CLASSES] * (1 - smoothing) + smoothing / 3
    by_hand = -np.mean(np.sum(target * np.log(SHARES), axis=1))
    assert of_three("bce", smoothing) == pytest.approx(by_hand, rel=1e-5)


@pytest.mark.tensorflow
def test_focal_of_two_classes_by_hand():
    of_truth = np.where(TRUE == 1, P, 1 - P)
    by_hand = np.mean((1 - of_truth) ** 2 * -np.log(of_truth))
    assert of_two("focal") == pytest.approx(by_hand, rel=1e-5)


@pytest.mark.tensorflow
def test_focal_of_three_classes_by_hand():
    of_truth = SHARES[np.arange(3), CLASSES]
    by_hand = np.mean(0.25 * (1 - of_truth) ** 2 * -np.log(of_truth))
    assert of_three("focal") == pytest.approx(by_hand, rel=1e-5)


@pytest.mark.tensorflow
def test_focal_is_keras_own_smoothed_too():
    losses = import_keras().losses
    one_hot = np.eye(3, dtype=np.float32)[CLASSES]
    several = losses.CategoricalFocalCrossentropy(label_smoothing=0.1)(one_hot, SHARES)
    assert of_three("focal", 0.1) == pytest.approx(float(several), rel=1e-6)
    two = losses.BinaryFocalCrossentropy(label_smoothing=0.1)(
        TRUE[:, None].astype(np.float32), P[:, None]
    )
    assert of_two("focal", 0.1) == pytest.approx(float(two), rel=1e-6)


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_images_are_weighed_one_by_one(name, smoothing):
    value = make_loss(name, spec=THREE, label_smoothing=smoothing)
    whole = float(value(CLASSES, SHARES, sample_weight=np.array([0.0, 3.0, 0.0])))
    alone = float(value(CLASSES[1:2], SHARES[1:2]))
    assert whole == pytest.approx(alone, rel=1e-5)


@pytest.mark.parametrize("smoothing", [-0.1, 1.0, float("nan")])
def test_a_smoothing_out_of_range_is_refused(smoothing):
    with pytest.raises(TrainingError, match="label smoothing must be 0 to below 1"):
        make_loss("bce", spec=TWO, label_smoothing=smoothing)


def rates(schedule, steps, lr=0.1) -> list[float]:
    """The learning rate of every step, as the optimiser itself has it."""
    keras = import_keras()
    variable = keras.Variable([1.0])
    chosen = make_optimizer("sgd", lr=lr, schedule=schedule, steps=steps)
    chosen.build([variable])
    found = []
    for _ in range(steps):
        found.append(float(chosen.learning_rate))
        chosen.apply_gradients([(keras.ops.ones((1,)), variable)])
    return found


@pytest.mark.tensorflow
def test_constant_keeps_the_rate():
    assert rates("constant", 3) == pytest.approx([0.1, 0.1, 0.1])


@pytest.mark.tensorflow
def test_cosine_falls_to_zero():
    by_hand = 0.05 * (1 + np.cos(np.pi * np.arange(8) / 8))
    assert rates("cosine", 8) == pytest.approx(list(by_hand), rel=1e-5)


@pytest.mark.tensorflow
def test_step_divides_by_ten_after_half_and_three_quarters():
    assert rates("step", 8) == pytest.approx([0.1] * 4 + [0.01] * 2 + [0.001] * 2, rel=1e-5)
    assert rates("step", 1) == pytest.approx([0.1])


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimiser_with_every_schedule_and_its_usual_rate(name):
    for schedule in SCHEDULES:
        chosen = make_optimizer(name, schedule=schedule, steps=4)
        assert type(chosen).__name__.lower() == name
        assert float(chosen.learning_rate) == pytest.approx(default_lr(name))
    assert float(make_optimizer(name, lr=0.02).learning_rate) == pytest.approx(0.02)


@pytest.mark.tensorflow
def test_the_usual_rates_are_keras_own():
    optimizers = import_keras().optimizers
    for kind in (optimizers.Adam, optimizers.AdamW, optimizers.SGD, optimizers.RMSprop):
        assert float(kind().learning_rate) == pytest.approx(default_lr(kind.__name__.lower()))


@pytest.mark.parametrize("lr", [0.0, -1e-3, float("inf"), float("nan")])
def test_a_rate_that_is_none_is_refused(lr):
    with pytest.raises(TrainingError, match="learning rate must be a number above 0"):
        make_optimizer("adam", lr=lr)


def test_class_weights_balance_the_classes():
    truth = np.array([0, 0, 0, 1, 2, 2])
    weights = compute_class_weights(truth, 3)
    assert weights == pytest.approx({0: 6 / 9, 1: 2.0, 2: 1.0})
    assert np.mean([weights[number] for number in truth]) == pytest.approx(1)


def test_a_class_without_images_weighs_nothing():
    assert compute_class_weights([0, 2, 2, 2], 4) == pytest.approx(
        {0: 2.0, 1: 0.0, 2: 2 / 3, 3: 0.0}
    )


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: make_loss("fokal", spec=TWO), "loss 'fokal' is unknown; did you mean 'focal'"),
        (lambda: make_optimizer("Adam W"), "did you mean 'adamw'"),
        (lambda: make_optimizer("adam", schedule="cosinus"), "did you mean 'cosine'"),
        (lambda: get_architecture("CNN_16_32_64"), "did you mean 'cnn-16-32-64'"),
    ],
)
def test_an_unknown_name_brings_the_nearest_in_one_line(call, message):
    with pytest.raises(TrainingError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
