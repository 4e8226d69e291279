"""What training makes small, and by which steps: losses, optimisers and class weights.

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

    from numpy.typing import ArrayLike

    from edgeemo.model.spec import ModelSpec

LOSSES = tuple(Loss)
"""Cross-entropy, binary or over all classes; and its focal form."""

OPTIMIZERS: Mapping[str, float] = MappingProxyType(
    {Optimizer.ADAM: 1e-3, Optimizer.ADAMW: 1e-3, Optimizer.SGD: 1e-2, Optimizer.RMSPROP: 1e-3}
)
"""Name to the usual learning rate, which is Keras'."""

SCHEDULES = tuple(Schedule)

_MOMENTUM = 0.9
_DROPS = (0.5, 0.75)
_DROP = 0.1


def make_loss(name: str, *, spec: ModelSpec, label_smoothing: float = 0.0) -> Any:
    """Return a loss for truths as `edgeemo.train.data.batches.make_dataset` gives them.

    "focal" weighs each image's cross-entropy by (1 - p) ** 2, p being the probability of its
    class, so that images that are answered well count less (Lin et al. 2017). It has Keras' usual
    values: with two classes no balancing between them, with more a constant factor of 0.25.

    Args:
        name: One of `LOSSES`.
        spec: Gives the form of the answer and the number of classes, K.
        label_smoothing: Share of the truth that is spread evenly over all K classes; in [0, 1).

    Returns:
        A `keras.losses.Loss` of (truth, output): truth (B, 1) float32 and output (B, 1) for a
        sigmoid, truth (B,) of integers and output (B, K) for a softmax. In nats.

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
    several = {"bce": losses.CategoricalCrossentropy, "focal": losses.CategoricalFocalCrossentropy}
    return _make_one_hot_loss(keras, several[name](label_smoothing=label_smoothing))


def make_optimizer(
    name: str, *, lr: float | None = None, schedule: str = "constant", steps: int = 1
) -> Any:
    """Return an optimiser whose learning rate follows a schedule.

    "constant" keeps the rate. "cosine" lowers it along half a cosine to 0 at the last step
    (Loshchilov and Hutter 2017, without restarts). "step" divides it by ten after half of the steps
    and again after three quarters (He et al. 2016).

    Args:
        name: One of `OPTIMIZERS`. "sgd" has a momentum of 0.9, "adamw" Keras' weight decay, 0.004.
        lr: The learning rate to begin with, above 0; None for the optimiser's usual.
        schedule: One of `SCHEDULES`.
        steps: Batches in the whole training, all epochs together; at least 1.

    Returns:
        A `keras.optimizers.Optimizer`.

    Raises:
        TrainingError: If a name is unknown or the rate is not a positive number.
    """
    usual = default_lr(name)
    rate = usual if lr is None else lr
    if not 0 < rate < math.inf:
        raise TrainingError(f"the learning rate must be a number above 0, not {rate}")
    optimizers = import_keras().optimizers
    scheduled = _make_schedule(optimizers.schedules, rate, schedule, steps)
    if name == "sgd":
        return optimizers.SGD(scheduled, momentum=_MOMENTUM)
    kinds = {"adam": optimizers.Adam, "adamw": optimizers.AdamW, "rmsprop": optimizers.RMSprop}
    return kinds[name](scheduled)


def default_lr(name: str) -> float:
    """Return the default learning rate of an optimiser.

    Raises:
        TrainingError: If there is no such optimiser.
    """
    if name not in OPTIMIZERS:
        raise TrainingError(describe_unknown("optimizer", name, OPTIMIZERS))
    return OPTIMIZERS[name]


def compute_class_weights(truth: ArrayLike, classes: int) -> dict[int, float]:
    """Weights that give every class the same share of the loss: n / (K n_k), 1 on average.

    Args:
        truth: (N,) class indices of the training split.
        classes: K.

    Returns:
        Class index to weight, for `keras.Model.fit`. A class without images has weight 0, and the
        K of the formula counts only the others.
    """
    counts = np.bincount(np.asarray(truth, np.int64), minlength=classes)
    present = np.count_nonzero(counts)
    return {
        number: float(counts.sum() / (present * count)) if count else 0.0
        for number, count in enumerate(counts)
    }


def _make_schedule(schedules: Any, rate: float, schedule: str, steps: int) -> Any:
    if schedule == "constant":
        return rate
    if schedule == "cosine":
        return schedules.CosineDecay(rate, decay_steps=steps)
    if schedule == "step":
        # Keras keeps a value through its boundary's own step, counted from 0.
        boundaries = [math.ceil(share * steps) - 1 for share in _DROPS]
        return schedules.PiecewiseConstantDecay(
            boundaries, [rate, rate * _DROP, rate * _DROP * _DROP]
        )
    raise TrainingError(describe_unknown("schedule", schedule, SCHEDULES))


def _make_one_hot_loss(keras: Any, several: Any) -> Any:
    """Return a loss of class indices, from a loss of one-hot truths."""
    ops = keras.ops

    class OfIndices(keras.losses.Loss):  # type: ignore[misc]
        def call(self, truth: Any, output: Any) -> Any:
            indices = ops.cast(ops.reshape(truth, (-1,)), "int32")
            return several.call(ops.one_hot(indices, output.shape[-1], dtype=output.dtype), output)

    return OfIndices(name=several.name)
