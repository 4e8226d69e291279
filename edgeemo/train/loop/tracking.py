"""Metrics of each epoch, and TensorBoard's log.

The metrics decide as the runtime does; Keras' own differ for a probability at the very threshold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo.errors import MissingExtraError, TrainingError
from edgeemo.model.keras import import_keras
from edgeemo.train.options.choices import Metric
from edgeemo.utils.suggest import describe_unknown

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from edgeemo.model.spec import ModelSpec

METRICS = tuple(Metric)
"""Metrics that can be requested; the accuracy is always tracked."""


def make_metrics(names: Iterable[str], *, spec: ModelSpec) -> list[Any]:
    """Make Keras metrics: the accuracy first, then the named ones in their order.

    With two classes precision, recall and AUC are those of the second. With more they are the mean
    over the classes that have images, as in the report; the AUC is of one class against the rest.
    Keras approximates the AUC by 200 thresholds.

    Args:
        names: Any of `METRICS`; "accuracy" is added.
        spec: Gives the activation, the number of classes and the threshold.

    Raises:
        TrainingError: If a name is unknown, or the metric is undefined for so many classes.
    """
    keras = import_keras()
    requested = [name for name in dict.fromkeys(names) if name != "accuracy"]
    make = _make_binary_metric if spec.activation == "sigmoid" else _make_multiclass_metric
    return [_make_accuracy(keras, spec), *(make(keras, name, spec) for name in requested)]


def make_tensorboard_callback(keras: Any, folder: Path) -> Any:
    """Make a Keras callback that writes every epoch's metrics for TensorBoard.

    Args:
        keras: The keras package.
        folder: Receives ``train`` and ``validation``, each with an event file of one scalar per
            metric and epoch. Logs of earlier trainings stay and are shown as well.

    Raises:
        MissingExtraError: If TensorBoard is not installed.
    """
    try:
        import tensorboard  # noqa: F401
    except ImportError:
        raise MissingExtraError(
            "tensorboard", extra="tensorboard", purpose="--tensorboard"
        ) from None
    return keras.callbacks.TensorBoard(str(folder), write_graph=False)


def _make_accuracy(keras: Any, spec: ModelSpec) -> Any:
    """Make an accuracy that decides as the runtime: p >= threshold is class 1; Keras has >."""
    ops = keras.ops

    def match(truth: Any, output: Any) -> Any:
        if spec.activation == "sigmoid":
            predicted = ops.cast(output >= spec.threshold, truth.dtype)
        else:
            predicted = ops.cast(ops.argmax(output, axis=-1), truth.dtype)
        return ops.cast(ops.equal(truth, predicted), "float32")

    return keras.metrics.MeanMetricWrapper(match, name="accuracy")


def _make_binary_metric(keras: Any, name: str, spec: ModelSpec) -> Any:
    # Keras tests p > threshold: one float below the threshold that is p >= threshold.
    below = float(np.nextafter(np.float32(spec.threshold), np.float32(0)))
    if name == "precision":
        return keras.metrics.Precision(thresholds=below, name=name)
    if name == "recall":
        return keras.metrics.Recall(thresholds=below, name=name)
    if name == "binary_accuracy":
        return keras.metrics.BinaryAccuracy(threshold=below, name=name)
    if name == "auc":
        return keras.metrics.AUC(name=name)
    raise TrainingError(describe_unknown("metric", name, METRICS))


def _make_multiclass_metric(keras: Any, name: str, spec: ModelSpec) -> Any:
    if name in ("precision", "recall"):
        return _make_macro_metric(keras, name, len(spec.labels))
    if name == "auc":
        return _make_multiclass_auc(keras, name, len(spec.labels))
    if name == "binary_accuracy":
        raise TrainingError(
            f"metric {name!r} requires two classes, not {len(spec.labels)}; leave it out: the "
            "accuracy is always tracked"
        )
    raise TrainingError(describe_unknown("metric", name, METRICS))


def _make_macro_metric(keras: Any, name: str, classes: int) -> Any:
    """Make a macro precision or recall from a confusion matrix, which Keras' own do not keep."""
    ops = keras.ops

    class MacroMetric(keras.metrics.Metric):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(name=name)
            self.matrix = self.add_variable((classes, classes), "zeros", name="matrix")

        def update_state(self, truth: Any, output: Any, sample_weight: Any = None) -> None:
            rows = ops.one_hot(_to_indices(ops, truth), classes, dtype=self.dtype)
            columns = ops.one_hot(ops.argmax(output, axis=-1), classes, dtype=self.dtype)
            self.matrix.assign_add(ops.matmul(ops.transpose(rows), columns))

        def result(self) -> Any:
            matrix = ops.convert_to_tensor(self.matrix)
            images = ops.sum(matrix, axis=1)
            totals = images if name == "recall" else ops.sum(matrix, axis=0)
            shares = ops.diagonal(matrix) / ops.maximum(totals, 1.0)
            present = ops.cast(images > 0, self.dtype)
            return ops.sum(shares * present) / ops.maximum(ops.sum(present), 1.0)

    return MacroMetric()


def _make_multiclass_auc(keras: Any, name: str, classes: int) -> Any:
    ops = keras.ops

    class OneVsRestAuc(keras.metrics.AUC):  # type: ignore[misc]
        def update_state(self, truth: Any, output: Any, sample_weight: Any = None) -> None:
            super().update_state(ops.one_hot(_to_indices(ops, truth), classes), output)

        def result(self) -> Any:
            # Keras averages over all classes, and counts one without an area as 0.
            images = self.true_positives[0] + self.false_negatives[0]
            rest = self.false_positives[0] + self.true_negatives[0]
            defined = ops.cast((images > 0) & (rest > 0), self.dtype)
            return super().result() * classes / ops.maximum(ops.sum(defined), 1.0)

    return OneVsRestAuc(multi_label=True, num_labels=classes, name=name)


def _to_indices(ops: Any, truth: Any) -> Any:
    """Return (B,) integers, in whatever shape and type Keras hands them on."""
    return ops.cast(ops.reshape(truth, (-1,)), "int32")
