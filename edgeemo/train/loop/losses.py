"""Losses, optimizers, learning rate schedules and class weights.

Losses are made of Keras' own operations, so that they run on any backend.
"""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo.errors import TrainingError
from edgeemo.model.keras import import_keras
from edgeemo.train.options.choices import Loss, Optimizer, Schedule
from edgeemo.utils.suggest import describe_unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from edgeemo.model.spec import ModelSpec

LOSSES = tuple(Loss)
"""Cross-entropy, binary or over all classes; and focal loss."""

OPTIMIZERS: Mapping[str, float] = MappingProxyType(
    {Optimizer.ADAM: 1e-3, Optimizer.ADAMW: 1e-3, Optimizer.SGD: 1e-2, Optimizer.RMSPROP: 1e-3}
)
"""Name to the default learning rate, which is Keras'."""

SCHEDULES = tuple(Schedule)

_MOMENTUM = 0.9
_DROPS = (0.5, 0.75)
_DROP = 0.1


def make_loss(name: str, *, spec: ModelSpec, label_smoothing: float = 0.0) -> Any:
    """Make a loss of class indices as `edgeemo.train.data.batches.make_dataset` gives them.

    "focal" weights each image's cross-entropy by (1 - p) ** 2, p being the probability of its
    class, so that well classified images count less (T. Lin et al., "Focal loss for dense object
    detection", 2017). The other parameters are Keras' defaults: with two classes no balancing
    between them, with more a constant factor of 0.25.

    Args:
        name: One of `LOSSES`.
        spec: Gives the activation and the number of classes, K.
        label_smoothing: Share of the target that is spread evenly over all K classes; in [0, 1).

    Returns:
        A `keras.losses.Loss` of (truth, output), in nats: truth (B, 1) float32 and output (B, 1)
        for a sigmoid, truth (B,) of integers and output (B, K) for a softmax.

    Raises:
        TrainingError: If the name is unknown or the share out of its range.
    """
    if name not in LOSSES:
        raise TrainingError(describe_unknown("loss", name, LOSSES))
    if not 0 <= label_smoothing < 1:
        raise TrainingError(f"label smoothing must be 0 to below 1, not {label_smoothing}")
    keras = import_keras()
    losses = keras.losses
    if spec.activation == "sigmoid":
        binary = {"bce": losses.BinaryCrossentropy, "focal": losses.BinaryFocalCrossentropy}
        return binary[name](label_smoothing=label_smoothing)
    if name == "bce" and not label_smoothing:
        return losses.SparseCategoricalCrossentropy()
    one_hot = {"bce": losses.CategoricalCrossentropy, "focal": losses.CategoricalFocalCrossentropy}
    return _make_sparse_loss(keras, one_hot[name](label_smoothing=label_smoothing))


def make_optimizer(
    name: str, *, lr: float | None = None, schedule: str = "constant", steps: int = 1
) -> Any:
    """Make an optimizer whose learning rate follows a schedule.

    "constant" keeps the rate. "cosine" lowers it along half a cosine to 0 at the last step (I.
    Loshchilov and F. Hutter, "SGDR", 2017, without restarts). "step" divides it by ten after half
    of the steps and again after three quarters, after K. He et al., "Deep residual learning", 2016.

    Args:
        name: One of `OPTIMIZERS`. "sgd" has a momentum of 0.9, "adamw" Keras' weight decay, 0.004.
        lr: Initial learning rate, above 0; None for the optimizer's default.
        schedule: One of `SCHEDULES`.
        steps: Number of steps that the schedule covers; at least 1.

    Returns:
        A `keras.optimizers.Optimizer`.

    Raises:
        TrainingError: If a name is unknown or the rate is not a number above 0.
    """
    default = default_lr(name)
    rate = default if lr is None else lr
    if not 0 < rate < math.inf:
        raise TrainingError(f"the learning rate must be a number above 0, not {rate}")
    optimizers = import_keras().optimizers
    scheduled = _make_schedule(optimizers.schedules, rate, schedule, steps)
    if name == "sgd":
        return optimizers.SGD(scheduled, momentum=_MOMENTUM)
    kinds = {"adam": optimizers.Adam, "adamw": optimizers.AdamW, "rmsprop": optimizers.RMSprop}
    return kinds[name](scheduled)


def default_lr(name: str) -> float:
    """Return the default learning rate of an optimizer.

    Raises:
        TrainingError: If there is no such optimizer.
    """
    if name not in OPTIMIZERS:
        raise TrainingError(describe_unknown("optimizer", name, OPTIMIZERS))
    return OPTIMIZERS[name]


def compute_class_weights(truth: ArrayLike, classes: int) -> dict[int, float]:
    """Compute weights that give every class the same share of the loss.

    The weight of class k is n / (K n_k), 1 on average over the n images, of which n_k are of class
    k (G. King and L. Zeng, "Logistic regression in rare events data", 2001).

    Args:
        truth: (N,) class indices of the training split.
        classes: Number of classes.

    Returns:
        Class index to weight, for `keras.Model.fit`. A class without images has weight 0, and K
        counts the other classes only.
    """
    counts = np.bincount(np.asarray(truth, np.int64), minlength=classes)
    present = np.count_nonzero(counts)
    return {
        number: float(counts.sum() / (present * count)) if count else 0.0
        for number, count in enumerate(counts)
    }


def balance_targets(targets: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return targets scaled to give every class the same share of the loss.

    As `compute_class_weights`, where the number of images of a class is the sum of its targets.

    Args:
        targets: (N, K) share of each class in the loss of each image.
    """
    sums = targets.sum(axis=0, dtype=np.float64)
    even = sums.sum() / np.count_nonzero(sums)
    weights = np.divide(even, sums, out=np.zeros_like(sums), where=sums > 0)
    return np.asarray(targets * weights, np.float32)


def _make_schedule(schedules: Any, rate: float, schedule: str, steps: int) -> Any:
    if schedule == "constant":
        return rate
    if schedule == "cosine":
        return schedules.CosineDecay(rate, decay_steps=steps)
    if schedule == "step":
        # Keras keeps a value up to and including the step of its boundary, counted from 0.
        boundaries = [math.ceil(share * steps) - 1 for share in _DROPS]
        return schedules.PiecewiseConstantDecay(
            boundaries, [rate, rate * _DROP, rate * _DROP * _DROP]
        )
    raise TrainingError(describe_unknown("schedule", schedule, SCHEDULES))


def _make_sparse_loss(keras: Any, loss: Any) -> Any:
    """Make a loss of class indices from one of one-hot targets."""
    ops = keras.ops

    class SparseLoss(keras.losses.Loss):  # type: ignore[misc]
        def call(self, truth: Any, output: Any) -> Any:
            indices = ops.cast(ops.reshape(truth, (-1,)), "int32")
            return loss.call(ops.one_hot(indices, output.shape[-1], dtype=output.dtype), output)

    return SparseLoss(name=loss.name)
