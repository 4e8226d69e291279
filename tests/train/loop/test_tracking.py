from __future__ import annotations

import sys

import numpy as np
import pytest

from edgeemo.errors import MissingExtraError, TrainingError
from edgeemo.metrics import auc, measure_classification
from edgeemo.model.keras import import_keras
from edgeemo.model.spec import ModelSpec
from edgeemo.train.data.batches import make_dataset
from edgeemo.train.loop.losses import compute_class_weights, make_loss
from edgeemo.train.loop.tracking import METRICS, make_metrics, make_tensorboard_callback
from edgeemo.train.networks.architectures import build

pytestmark = pytest.mark.tensorflow

LABELS = ("a", "b", "c", "d")
TWO = ModelSpec(labels=("happy", "sad"), height=32, width=32, channels=1, threshold=0.25)
FOUR = ModelSpec(labels=LABELS, height=32, width=32, channels=1, activation="softmax")


@pytest.fixture(scope="module")
def answers():
    """Truth and scores of 300 images in four classes, of which one has none."""
    drawn = np.random.default_rng(5)
    truth = drawn.choice([0, 1, 3], 300, p=[0.6, 0.3, 0.1])
    scores = drawn.dirichlet(np.ones(4), 300) + 0.3 * np.eye(4)[truth]
    return truth, (scores / scores.sum(axis=1, keepdims=True)).astype(np.float32)


def results(names, spec, batches) -> dict[str, float]:
    made = make_metrics(names, spec=spec)
    for metric in made:
        for truth, output in batches:
            metric.update_state(truth, output)
    return {metric.name: float(metric.result()) for metric in made}


def test_a_probability_equal_to_the_threshold_is_class_1():
    truth = np.array([[1.0], [1.0], [0.0], [0.0], [0.0]], np.float32)
    output = np.array([[0.25], [0.2], [0.25], [0.2], [0.1]], np.float32)
    assert results(("precision", "recall", "binary_accuracy"), TWO, [(truth, output)]) == {
        "accuracy": pytest.approx(3 / 5),
        "precision": 1 / 2,
        "recall": 1 / 2,
        "binary_accuracy": pytest.approx(3 / 5),
    }


def test_two_classes_against_the_reports_figures():
    drawn = np.random.default_rng(4)
    truth = drawn.integers(0, 2, 200)
    output = np.clip(drawn.normal(0.3 + 0.2 * truth, 0.2), 0, 1).astype(np.float32)
    predicted = (output >= TWO.threshold).astype(int)
    scores = np.stack([1 - output, output], axis=1)
    report = measure_classification(truth, predicted, scores, labels=TWO.labels)
    column = truth[:, None].astype(np.float32), output[:, None]
    found = results(METRICS, TWO, [[each[:80] for each in column], [each[80:] for each in column]])
    assert found == {
        "accuracy": pytest.approx(report.accuracy.value),
        "precision": pytest.approx(report.per_class["sad"].precision.value),
        "recall": pytest.approx(report.per_class["sad"].recall.value),
        "binary_accuracy": pytest.approx(report.accuracy.value),
        "auc": pytest.approx(auc(truth, output), abs=0.005),
    }


def test_more_classes_against_the_reports_figures(answers):
    truth, scores = answers
    report = measure_classification(truth, scores.argmax(axis=1), scores, labels=LABELS)
    batches = [(truth[:100], scores[:100]), (truth[100:], scores[100:])]
    found = results(("recall", "precision", "auc"), FOUR, batches)
    assert list(found) == ["accuracy", "recall", "precision", "auc"]
    assert found["accuracy"] == pytest.approx(report.accuracy.value)
    assert found["precision"] == pytest.approx(report.macro.precision.value)
    assert found["recall"] == pytest.approx(report.macro.recall.value)
    by_hand = np.mean([auc((truth == each).astype(int), scores[:, each]) for each in (0, 1, 3)])
    assert found["auc"] == pytest.approx(by_hand, abs=0.01)


def test_a_reset_forgets(answers):
    truth, scores = answers
    for metric in make_metrics(("precision", "recall", "auc"), spec=FOUR):
        metric.update_state(truth, scores)
        metric.reset_state()
        metric.update_state(truth[:50], scores[:50])
        again = next(
            fresh
            for fresh in make_metrics(("precision", "recall", "auc"), spec=FOUR)
            if fresh.name == metric.name
        )
        again.update_state(truth[:50], scores[:50])
        assert float(metric.result()) == float(again.result())


def test_accuracy_is_there_once_and_comes_first():
    assert [each.name for each in make_metrics((), spec=TWO)] == ["accuracy"]
    made = make_metrics(("recall", "accuracy", "recall"), spec=TWO)
    assert [each.name for each in made] == ["accuracy", "recall"]


@pytest.mark.parametrize("spec", [TWO, FOUR])
def test_an_unknown_name_brings_the_nearest(spec):
    with pytest.raises(TrainingError, match="metric 'precison' is unknown; did you mean 'prec"):
        make_metrics(("precison",), spec=spec)


def test_binary_accuracy_of_more_classes_is_refused():
    with pytest.raises(TrainingError, match="requires two classes, not 4; leave it out"):
        make_metrics(("binary_accuracy",), spec=FOUR)


def fitted(noise, spec, folder=None, **options):
    keras = import_keras()
    model = build("cnn-16-32-16", input_shape=(32, 32, 1), classes=len(spec.labels))
    model.compile(loss=make_loss("bce", spec=spec), metrics=make_metrics(("recall",), spec=spec))
    return model.fit(
        make_dataset(noise(24), spec=spec, batch_size=8),
        validation_data=make_dataset(noise(16, 1), spec=spec, batch_size=8),
        epochs=2,
        shuffle=False,
        callbacks=[make_tensorboard_callback(keras, folder)] if folder else [],
        verbose=0,
        **options,
    ).history


@pytest.mark.parametrize("spec", [TWO, FOUR])
def test_training_takes_class_weights_and_gives_every_metric(noise, spec):
    history = fitted(
        noise, spec, class_weight=compute_class_weights(noise(24).truth, len(spec.labels))
    )
    names = {"loss", "accuracy", "recall"}
    assert set(history) == names | {f"val_{name}" for name in names}


def test_tensorboard_reads_back_every_epoch(noise, tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    history = fitted(noise, TWO, tmp_path / "log")
    for split, prefix in (("train", ""), ("validation", "val_")):
        log = EventAccumulator(str(tmp_path / "log" / split)).Reload()
        for name in ("loss", "accuracy", "recall"):
            events = log.Tensors(f"epoch_{name}")
            values = [float(make_ndarray(event.tensor_proto)) for event in events]
            assert [event.step for event in events] == [0, 1]
            assert values == pytest.approx(history[prefix + name], rel=1e-6)


def test_without_tensorboard_the_extra_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(MissingExtraError, match=r"pip install .*\[tensorboard\]'"):
        make_tensorboard_callback(import_keras(), tmp_path)
