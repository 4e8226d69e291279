"""Calibration of a trained network: its temperature and its confidence threshold."""

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
"""Smallest number of validation images to fit a temperature on; with fewer it stays 1."""

_MIN_TEMPERATURE, _MAX_TEMPERATURE = 0.1, 10.0
_HALVINGS = 60
_MIN_THRESHOLD = 2.0**-24  # the distance of 1 to the float32 before it


@dataclass(frozen=True, kw_only=True)
class FittedTemperature:
    """The outcome of a calibration, measured on the validation split.

    Attributes:
        images: Number of validation images.
        temperature: Divisor of the logits.
        unfitted_reason: Why the temperature stays 1, in words; empty where it was fitted.
        ece_before: Expected calibration error (see `choose_bins`) before, 0 to 1.
        ece_after: The same with the temperature, which was fitted on these images: measure its
            effect on the test split.
        abstention: Confidence threshold for the target accuracy; None without a target.
    """

    images: int
    temperature: float
    unfitted_reason: str
    ece_before: float
    ece_after: float
    abstention: Abstention | None

    @property
    def text(self) -> str:
        """Return the temperature and its effect as a sentence without its full stop."""
        if self.unfitted_reason:
            return f"the temperature stays 1: {self.unfitted_reason}"
        return (
            f"temperature {self.temperature:.3f}, fitted on {self.images:,} validation images: "
            f"calibration error on them {self.ece_before:.4f} before, {self.ece_after:.4f} after"
        )


def calibrate_on_validation(
    model: Any, data: TrainingData, options: TrainOptions
) -> tuple[ModelSpec, FittedTemperature | None]:
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
) -> tuple[ModelSpec, FittedTemperature]:
    """Fit the temperature, fold it into the model's weights, and find the confidence threshold.

    The model's predictions stay the same, but for rounding: a threshold other than 0.5 moves with
    the probabilities. Earlier probabilities, such as `scores`, become
    `edgeemo.metrics.apply_temperature(scores, temperature)`.

    Args:
        model: The trained Keras model, which ends with a Dense layer with a sigmoid or softmax; the
            weights of that layer are divided by the temperature.
        scores: (N, K) probabilities of the validation images.
        truth: (N,) class indices of the validation images.
        spec: Spec of the model, with a temperature of 1.
        target_accuracy: The accuracy of the predictions that are not "not sure", above 0 to 1; None
            for no confidence threshold.

    Returns:
        The spec with temperature, confidence threshold and moved threshold; and the outcome.

    Raises:
        TrainingError: If the model ends with another layer.
        SpecError: If a confidence threshold is needed and a class is called "not sure".
    """
    given, right = np.asarray(scores, np.float64), np.asarray(truth, np.int64)
    temperature, unfitted_reason = 1.0, _explain_unfitted(right.size)
    if not unfitted_reason:
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
    found = FittedTemperature(
        images=right.size,
        temperature=temperature,
        unfitted_reason=unfitted_reason,
        ece_before=_measure_error(given, right, _decide(given, spec)),
        ece_after=_measure_error(calibrated, right, predicted),
        abstention=abstention,
    )
    return after, found


def fit_temperature(scores: ArrayLike, truth: ArrayLike) -> float:
    """Return the temperature of maximum likelihood.

    After C. Guo, G. Pleiss, Y. Sun and K. Weinberger, "On calibration of modern neural networks",
    ICML 2017. The likelihood is log-concave in 1 / T, so that bisection finds its one maximum. The
    target of the true class is 1 - 1 / (N + 2) instead of 1, after J. Platt, "Probabilistic outputs
    for support vector machines", 1999: as if one more image had been misclassified. Otherwise
    images that are all classified correctly would need infinite confidence.

    Args:
        scores: (N, K) probabilities, not of the training images.
        truth: (N,) class indices.

    Returns:
        0.1 to 10; 1 where there is no image.

    Raises:
        ValueError: If the shapes do not match, or a class index is not within 0 to K - 1.
    """
    values, right = to_logits(scores), np.asarray(truth, np.int64)
    if values.ndim != 2 or right.shape != values.shape[:1]:
        raise ValueError(f"{values.shape} scores for {right.shape} images")
    if not right.size:
        return 1.0
    if not 0 <= right.min() <= right.max() < values.shape[1]:
        raise ValueError(f"class indices must be 0 to {values.shape[1] - 1}")
    values = values - values.mean(axis=1, keepdims=True)
    target = float((values * _smooth_targets(right, values.shape[1])).sum())
    low, high = 1 / _MAX_TEMPERATURE, 1 / _MIN_TEMPERATURE
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        # The derivative of the negative log-likelihood, which rises with 1 / T.
        excess = float((values * softmax(values * middle)).sum()) - target
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
            f"a temperature requires a last Dense layer with a sigmoid or softmax; this model "
            f"ends with {last.name!r} ({type(last).__name__}, activation {activation})"
        )
    last.set_weights([weights / np.float32(temperature) for weights in last.get_weights()])


def move_threshold(threshold: float, temperature: float) -> float:
    """Return a threshold after its logit was divided by a temperature.

    Args:
        threshold: Threshold of the second label's probability, in (0, 1).
        temperature: Above 0.

    Returns:
        In (0, 1); 0.5 stays 0.5, and with a temperature of 1 every threshold stays.
    """
    if temperature == 1:
        return threshold
    logit = math.log(threshold / (1 - threshold)) / temperature
    moved = 0.5 * (1 + math.tanh(logit / 2))
    return min(max(moved, _MIN_THRESHOLD), 1 - _MIN_THRESHOLD)


def _explain_unfitted(images: int) -> str:
    if images >= MIN_IMAGES:
        return ""
    few = plural(images, "validation image is", "validation images are")
    return f"{few} too few to fit a temperature; it requires {MIN_IMAGES}"


def _smooth_targets(truth: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    """Return the target probabilities, (N, K): nearly 1 for the true class."""
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
