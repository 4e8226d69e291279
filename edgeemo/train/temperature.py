"""Make a trained network's probabilities mean what they say, and find where it should abstain."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo.errors import TrainingError
from edgeemo.metrics import (
    Abstention,
    apply_temperature,
    expected_calibration_error,
    find_min_confidence,
    softmax,
    to_logits,
)
from edgeemo.train.report.evaluation import predict_split
from edgeemo.utils.text import plural

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from edgeemo.model.spec import ModelSpec
    from edgeemo.train.data.pipeline import TrainingData
    from edgeemo.train.options.options import TrainOptions

MIN_IMAGES = 100
"""With fewer validation images the temperature stays 1."""

_LOWEST, _HIGHEST = 0.1, 10.0
_HALVINGS = 60
_NEAREST_TO_CERTAIN = 2.0**-24  # the last float32 step before 1


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """What was found out about a model's confidence, all of it on the validation split.

    Attributes:
        images: Number of validation images.
        temperature: What the logits were divided by.
        why_not: Why the temperature stayed 1, in words; empty where it was fitted.
        ece_before: Expected calibration error (15 bins of equal mass) before, 0 to 1.
        ece_after: The same with the temperature. It was fitted on these images: the test split
            tells what it is worth.
        abstention: The least confidence for the wanted accuracy; None where none was wanted.
    """

    images: int
    temperature: float
    why_not: str
    ece_before: float
    ece_after: float
    abstention: Abstention | None

    @property
    def text(self) -> str:
        """What the temperature is and did, as a sentence without its full stop."""
        if self.why_not:
            return f"the temperature stays 1: {self.why_not}"
        return (
            f"temperature {self.temperature:.3f}, fitted on {self.images:,} validation images: "
            f"calibration error there {self.ece_before:.4f} before, {self.ece_after:.4f} after"
        )


def calibrate_on_validation(
    model: Any, data: TrainingData, options: TrainOptions
) -> tuple[ModelSpec, Calibration | None]:
    """Calibrate a trained network on its validation images; without any, leave it as it is.

    Args:
        model: The network; see `calibrate`.
        data: The images and the spec.
        options: Give the target accuracy, and whether validation images of their own exist.

    Returns:
        The spec, as of `calibrate`, and the outcome; None where nothing was calibrated.
    """
    if options.validates_on_test or not len(data.validation):
        return data.spec, None
    outputs = predict_split(model, data.validation, spec=data.spec)
    scores = np.array([data.spec.scores(row) for row in outputs.tolist()])
    return calibrate(
        model,
        scores,
        data.validation.truth,
        spec=data.spec,
        target_accuracy=options.target_accuracy,
    )


def calibrate(
    model: Any,
    scores: ArrayLike,
    truth: ArrayLike,
    *,
    spec: ModelSpec,
    target_accuracy: float | None = None,
) -> tuple[ModelSpec, Calibration]:
    """Fit the temperature, put it into the model's weights, and find the least confidence.

    The label that the model answers to an image stays the same, but for rounding: a threshold
    other than 0.5 moves with the probabilities. What was answered before, such as `scores`, is
    `edgeemo.metrics.apply_temperature(scores, temperature)` from now on.

    Args:
        model: The trained Keras model, a Dense layer with a sigmoid or softmax at its end; that
            layer's weights are divided by the temperature.
        scores: (N, K) probabilities that the model gives to the validation images.
        truth: (N,) their class indices.
        spec: The model's, with a temperature of 1.
        target_accuracy: The wanted share of right answers, above 0 to 1; None to answer all.

    Returns:
        The spec with temperature, least confidence and the moved threshold; and what was found.

    Raises:
        TrainingError: If the model does not end as it has to.
        SpecError: If a least confidence is needed and a class is called "not sure".
    """
    given, right = np.asarray(scores, np.float64), np.asarray(truth, np.int64)
    temperature, why_not = 1.0, _why_not(right.size)
    if not why_not:
        temperature = fit_temperature(given, right)
        fold_temperature(model, temperature)
    after = replace(
        spec, temperature=temperature, threshold=move_threshold(spec.threshold, temperature)
    )
    calibrated = apply_temperature(given, temperature)
    predicted = _decide(calibrated, after)
    abstention = None
    if target_accuracy is not None:
        abstention = find_min_confidence(calibrated, right, predicted, target_accuracy)
        after = replace(after, min_confidence=abstention.min_confidence)
    found = Calibration(
        images=right.size,
        temperature=temperature,
        why_not=why_not,
        ece_before=_measure_error(given, right, _decide(given, spec)),
        ece_after=_measure_error(calibrated, right, predicted),
        abstention=abstention,
    )
    return after, found


def fit_temperature(scores: ArrayLike, truth: ArrayLike) -> float:
    """Fit the temperature with which a network's probabilities match the truth best.

    Maximum likelihood in the one parameter (C. Guo, G. Pleiss, Y. Sun and K. Weinberger, "On
    calibration of modern neural networks", ICML 2017). The likelihood is log-concave in 1 / T, so
    halving finds the one maximum. Each true class is expected with probability 1 - 1 / (N + 2)
    instead of 1, after J. Platt's "Probabilistic outputs for support vector machines" (1999): as if
    one image more had been answered wrongly. Without, images that the network all answers
    rightly would ask for infinite confidence.

    Args:
        scores: (N, K) probabilities, not of the training images.
        truth: (N,) class indices.

    Returns:
        0.1 to 10; 1 where there is no image.

    Raises:
        ValueError: If the shapes do not fit, or a class index is not within 0 to K - 1.
    """
    values, right = to_logits(scores), np.asarray(truth, np.int64)
    if values.ndim != 2 or right.shape != values.shape[:1]:
        raise ValueError(f"{values.shape} scores for {right.shape} images")
    if not right.size:
        return 1.0
    if not 0 <= right.min() <= right.max() < values.shape[1]:
        raise ValueError(f"class indices must be 0 to {values.shape[1] - 1}")
    values = values - values.mean(axis=1, keepdims=True)
    wanted = float((values * _smooth_targets(right, values.shape[1])).sum())
    low, high = 1 / _HIGHEST, 1 / _LOWEST
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        # The derivative of the negative log-likelihood; it rises with 1 / T.
        excess = float((values * softmax(values * middle)).sum()) - wanted
        low, high = (low, middle) if excess > 0 else (middle, high)
    return 2 / (low + high)


def fold_temperature(model: Any, temperature: float) -> None:
    """Divide a model's logits by a temperature, in the weights of its last layer.

    Args:
        model: A Keras model that ends with a Dense layer with a sigmoid or softmax.
        temperature: Above 0.

    Raises:
        TrainingError: If the model ends otherwise.
    """
    last = model.layers[-1]
    activation = getattr(getattr(last, "activation", None), "__name__", "none")
    if type(last).__name__ != "Dense" or activation not in ("sigmoid", "softmax"):
        raise TrainingError(
            f"the temperature belongs into a last Dense layer with a sigmoid or softmax; this "
            f"model ends with {last.name!r} ({type(last).__name__}, activation {activation})"
        )
    last.set_weights([weights / np.float32(temperature) for weights in last.get_weights()])


def move_threshold(threshold: float, temperature: float) -> float:
    """Where a threshold lies once the logits have been divided by a temperature.

    Args:
        threshold: Of the second label's probability, in (0, 1).
        temperature: Above 0.

    Returns:
        In (0, 1); 0.5 stays 0.5, and so does every threshold with a temperature of 1.
    """
    if temperature == 1:
        return threshold
    logit = math.log(threshold / (1 - threshold)) / temperature
    moved = 0.5 * (1 + math.tanh(logit / 2))
    return min(max(moved, _NEAREST_TO_CERTAIN), 1 - _NEAREST_TO_CERTAIN)


def _why_not(images: int) -> str:
    if images >= MIN_IMAGES:
        return ""
    few = plural(images, "validation image")
    return f"{few} cannot tell a temperature; {MIN_IMAGES} or more are needed"


def _smooth_targets(truth: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    """How likely each class should be, (N, K): nearly 1 for the true one."""
    doubt = 1 / (truth.size + 2)
    expected = np.full((truth.size, classes), doubt / (classes - 1))
    expected[np.arange(truth.size), truth] = 1 - doubt
    return expected


def _decide(scores: NDArray[np.float64], spec: ModelSpec) -> NDArray[np.int64]:
    return np.asarray([spec.decide(row) for row in scores.tolist()], np.int64)


def _measure_error(
    scores: NDArray[np.float64], truth: NDArray[np.int64], predicted: NDArray[np.int64]
) -> float:
    stated = scores[np.arange(truth.size), predicted]
    return expected_calibration_error(stated, predicted == truth)
