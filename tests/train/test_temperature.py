from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeemo.errors import SpecError, TrainingError
from edgeemo.metrics import apply_temperature
from edgeemo.model.keras import import_keras
from edgeemo.model.keras_engine import predict
from edgeemo.model.spec import ModelSpec
from edgeemo.train.networks.architectures import build
from edgeemo.train.temperature import (
    MIN_IMAGES,
    calibrate,
    fit_temperature,
    fold_temperature,
    move_threshold,
)
from edgeemo.utils.serialize import to_plain

SHAPE = (24, 24, 1)


def _overconfident(count, *, factor, classes=2, seed=0):
    """Probabilities whose logits are `factor` times too large, and a truth drawn accordingly."""
    drawn = np.random.default_rng(seed)
    logits = drawn.normal(0, 1.5, (count, classes))
    honest = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    truth = (honest.cumsum(axis=1) < drawn.random((count, 1))).sum(axis=1)
    return apply_temperature(honest, 1 / factor), truth


@pytest.mark.parametrize("classes", [2, 7])
@pytest.mark.parametrize("factor", [0.5, 1, 3])
def test_the_factor_by_which_logits_are_too_large_is_found(classes, factor):
    scores, truth = _overconfident(20_000, factor=factor, classes=classes)
    assert fit_temperature(scores, truth) == pytest.approx(factor, rel=0.05)


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 1)), min_size=1, max_size=40))
def test_no_small_temperature_change_makes_the_truth_likelier(rows):
    """The maximum, against the definition; each true class is expected with 1 - 1 / (N + 2)."""
    scores = np.array([[1 - p, p] for p, _ in rows])
    truth = np.array([k for _, k in rows])
    found = fit_temperature(scores, truth)
    assert 0.1 <= found <= 10

    def loss(temperature):
        given = np.log(np.maximum(apply_temperature(scores, temperature), 1e-300))
        doubt, every = 1 / (len(rows) + 2), np.arange(len(rows))
        return -((1 - doubt) * given[every, truth] + doubt * given[every, 1 - truth]).sum()

    for other in (found * 0.9, found * 1.1):
        if 0.1 <= other <= 10:
            assert loss(found) <= loss(other) + 1e-7


def test_faultless_answers_do_not_become_certain():
    """As many images as there are say how sure one may be: about 1 - 1 / (N + 2)."""
    truth = np.arange(200) % 2
    scores = np.where(np.eye(2)[truth] > 0, 0.9, 0.1)
    after = apply_temperature(scores, fit_temperature(scores, truth))
    assert after.max() == pytest.approx(1 - 1 / 202, abs=1e-4)


def test_saturated_answers_are_no_trouble():
    truth = np.arange(300) % 2
    scores = np.eye(2)[truth]
    scores[:30] = scores[:30, ::-1]
    assert fit_temperature(scores, truth) == pytest.approx(16.64 / np.log(9), rel=0.05)


def test_nothing_to_fit_on_changes_nothing():
    assert fit_temperature(np.zeros((0, 2)), []) == 1


@pytest.mark.parametrize("truth", [[0], [0, 2], [0, -1]])
def test_a_truth_that_does_not_fit_is_refused(truth):
    with pytest.raises(ValueError, match=r"images|indices"):
        fit_temperature([[0.5, 0.5]] * 2, truth)


@given(p=st.integers(1, 999), threshold=st.integers(1, 999), temperature=st.floats(0.1, 10))
def test_a_moved_threshold_decides_as_before(p, threshold, temperature):
    after = move_threshold(threshold / 1000, temperature)
    assert 0 < after < 1
    moved = apply_temperature([[1 - p / 1000, p / 1000]], temperature)[0, 1]
    if p != threshold and 1e-6 < moved < 1 - 1e-6:
        assert (moved >= after) == (p > threshold)


@given(st.floats(0.001, 0.999), st.floats(0.1, 10))
def test_the_middle_and_a_temperature_of_1_stay_exactly(threshold, temperature):
    assert move_threshold(0.5, temperature) == 0.5
    assert move_threshold(threshold, 1.0) == threshold


@pytest.mark.tensorflow
@pytest.mark.parametrize("classes", [2, 3])
def test_the_weights_give_the_tempered_probabilities(classes):
    """Sigmoid and softmax: model.keras itself is calibrated."""
    import_keras().utils.set_random_seed(0)
    model = build("cnn-16-32-16", input_shape=SHAPE, classes=classes)
    images = np.random.default_rng(0).random((16, *SHAPE), np.float32)
    spec = _spec(classes)
    before = _scores(model, images, spec)
    fold_temperature(model, 0.25)
    after = _scores(model, images, spec)
    assert abs(after - before).max() > 1e-3
    np.testing.assert_allclose(after, apply_temperature(before, 0.25), atol=1e-5)


@pytest.mark.tensorflow
def test_a_model_that_ends_otherwise_is_refused():
    keras = import_keras()
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="raw")])
    with pytest.raises(TrainingError, match=r"ends with 'raw' \(Dense, activation linear\)"):
        fold_temperature(model, 2.0)


@pytest.fixture
def network():
    """A network that is not trained."""
    return build("cnn-16-32-16", input_shape=SHAPE, classes=2)


def _spec(classes=2, **more):
    return ModelSpec(
        labels=("happy", "sad", "calm")[:classes],
        height=SHAPE[0],
        width=SHAPE[1],
        channels=1,
        activation="sigmoid" if classes == 2 else "softmax",
        **more,
    )


def _scores(model, images, spec):
    return np.array([spec.scores(row) for row in predict(model, images).tolist()])


@pytest.mark.tensorflow
def test_calibrating_fills_the_spec_and_the_weights(network):
    scores, truth = _overconfident(4000, factor=3)
    before = network.layers[-1].get_weights()
    spec, found = calibrate(network, scores, truth, spec=_spec(threshold=0.8), target_accuracy=0.9)
    assert spec.temperature == found.temperature == pytest.approx(3, rel=0.1)
    assert spec.threshold == move_threshold(0.8, spec.temperature)
    assert spec.min_confidence == found.abstention.min_confidence > 0.5
    assert found.ece_after < 0.02 < 0.1 < found.ece_before
    np.testing.assert_allclose(
        network.layers[-1].get_weights()[0], before[0] / spec.temperature, rtol=1e-6
    )
    assert found.text.startswith("temperature 3.")
    assert to_plain(found)["abstention"]["achieved"]["count"] == found.abstention.achieved.count


@pytest.mark.tensorflow
def test_few_images_leave_everything_as_it_is(network):
    scores, truth = _overconfident(MIN_IMAGES - 1, factor=3)
    before = network.get_weights()
    spec, found = calibrate(network, scores, truth, spec=_spec(threshold=0.3))
    assert spec == _spec(threshold=0.3)
    assert "99 validation images" in found.text
    assert (found.ece_after, found.abstention) == (found.ece_before, None)
    for ours, theirs in zip(network.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.tensorflow
def test_no_image_at_all_is_no_trouble(network):
    spec, found = calibrate(
        network, np.zeros((0, 2)), np.zeros(0, int), spec=_spec(), target_accuracy=0.9
    )
    assert spec == _spec()
    assert not found.abstention.reachable


@pytest.mark.tensorflow
def test_a_class_called_not_sure_cannot_be_abstained_with(network):
    scores, truth = _overconfident(4000, factor=1)
    spec = ModelSpec(labels=("sure", "not sure"), height=24, width=24, channels=1)
    assert calibrate(network, scores, truth, spec=spec)[0].labels == spec.labels
    with pytest.raises(SpecError, match="rename the class"):
        calibrate(network, scores, truth, spec=spec, target_accuracy=0.9)
