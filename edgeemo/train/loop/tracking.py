"""What is watched while a network learns: metrics, epoch by epoch, and TensorBoard's log.

The metrics decide as the runtime does, where Keras' own differ by an answer at the very threshold.
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
"""What can be tracked besides the accuracy, which always is."""


def make_metrics(names: Iterable[str], *, spec: ModelSpec) -> list[Any]:
    """Return new Keras metrics, the accuracy first, then the named ones in their order.

    With two classes precision, recall and AUC are those of the second. With more they are the mean
    over the classes that have images, as in the report; the AUC is of one class against the rest.
    Keras approximates the AUC by 200 thresholds.

    Args:
        names: Any of `METRICS`; "accuracy" is there anyway.
        spec: Gives the form of the answer, the number of classes and the threshold.

    Raises:
        TrainingError: If a name is unknown, or the metric makes no sense for so many classes.
    """
    keras = import_keras()
    wanted = [name for name in dict.fromkeys(names) if name != "accuracy"]
    make = _make_binary_metric if spec.activation == "sigmoid" else _make_multiclass_metric
    return [_make_accuracy(keras, spec), *(make(keras, name, spec) for name in wanted)]


def make_tensorboard_callback(keras: Any, folder: Path) -> Any:
    """Return a Keras callback that writes the figures of every epoch for TensorBoard.

    Args:
        keras: The keras package.
        folder: Gets ``train`` and ``validation``, each with an event file of one scalar per figure
            and epoch. What earlier trainings wrote there stays and is shown as well.

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
    """Accuracy as the runtime decides: p >= threshold is class 1, where Keras' own has >."""
    ops = keras.ops

    def right(truth: Any, output: Any) -> Any:
        if spec.activation == "sigmoid":
            answer = ops.cast(output >= spec.threshold, truth.dtype)
        else:
            answer = ops.cast(ops.argmax(output, axis=-1), truth.dtype)
        return ops.cast(ops.equal(truth, answer), "float32")

    return keras.metrics.MeanMetricWrapper(right, name="accuracy")


def _make_binary_metric(keras: Any, name: str, spec: ModelSpec) -> Any:
    # Keras asks for p > threshold: one step below the threshold, p >= threshold is the same.
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
            f"metric {name!r} is for two classes, and here are {len(spec.labels)}; "
            "leave it out: the accuracy is tracked anyway"
        )
    raise TrainingError(describe_unknown("metric", name, METRICS))


def _make_macro_metric(keras: Any, name: str, classes: int) -> Any:
    """Macro precision or recall, from a confusion matrix that Keras' metrics do not keep."""
    ops = keras.ops

    class Mean(keras.metrics.Metric):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(name=name)
            self.matrix = self.add_variable((classes, classes), "zeros", name="matrix")

        def update_state(self, truth: Any, output: Any, sample_weight: Any = None) -> None:
            rows = ops.one_hot(_to_indices(ops, truth), classes, dtype=self.dtype)
            answers = ops.one_hot(ops.argmax(output, axis=-1), classes, dtype=self.dtype)
            self.matrix.assign_add(ops.matmul(ops.transpose(rows), answers))

        def result(self) -> Any:
            matrix = ops.convert_to_tensor(self.matrix)
            images = ops.sum(matrix, axis=1)
            among = images if name == "recall" else ops.sum(matrix, axis=0)
            shares = ops.diagonal(matrix) / ops.maximum(among, 1.0)
            there = ops.cast(images > 0, self.dtype)
            return ops.sum(shares * there) / ops.maximum(ops.sum(there), 1.0)

    return Mean()


def _make_multiclass_auc(keras: Any, name: str, classes: int) -> Any:
    ops = keras.ops

    class OneAgainstTheRest(keras.metrics.AUC):  # type: ignore[misc]
        def update_state(self, truth: Any, output: Any, sample_weight: Any = None) -> None:
            super().update_state(ops.one_hot(_to_indices(ops, truth), classes), output)

        def result(self) -> Any:
            # Keras' mean is over all classes, and one that has no area gives it 0.
            images = self.true_positives[0] + self.false_negatives[0]
            rest = self.false_positives[0] + self.true_negatives[0]
            there = ops.cast((images > 0) & (rest > 0), self.dtype)
            return super().result() * classes / ops.maximum(ops.sum(there), 1.0)

    return OneAgainstTheRest(multi_label=True, num_labels=classes, name=name)


def _to_indices(ops: Any, truth: Any) -> Any:
    """(B,) integers, whatever Keras has made of them on the way."""
    return ops.cast(ops.reshape(truth, (-1,)), "int32")
