"""Calibration of a model's confidence on the test split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeemo.metrics import (
    CalibrationError,
    ReliabilityBin,
    SelectiveAccuracy,
    apply_temperature,
    bin_by_confidence,
    expected_calibration_error,
    measure_calibration_error,
    measure_selective_accuracy,
)

if TYPE_CHECKING:
    from edgeemo.model.spec import ModelSpec
    from edgeemo.train.report.evaluation import Evaluation


@dataclass(frozen=True, kw_only=True)
class CalibrationReport:
    """Confidence against accuracy; confidence is the probability of the predicted label.

    Attributes:
        temperature: Divisor of the logits; 1 if they were left alone.
        ece_before: Expected calibration error (at most 15 bins of equal mass) without it, 0 to 1.
        ece_after: The same with it.
        error: The latter with its interval, and what chance makes of it.
        reliability_before: Bins of the reliability diagram without it.
        reliability_after: The same with it.
        min_confidence: Confidence below which the model predicts "not sure"; 0 for none.
        selective_accuracy: Coverage and accuracy above it.
    """

    temperature: float
    ece_before: float
    ece_after: float
    error: CalibrationError
    reliability_before: tuple[ReliabilityBin, ...]
    reliability_after: tuple[ReliabilityBin, ...]
    min_confidence: float
    selective_accuracy: SelectiveAccuracy


def measure_calibration(evaluation: Evaluation, *, spec: ModelSpec) -> CalibrationReport:
    """Measure the calibration of predictions.

    Args:
        evaluation: Evaluation of the test split.
        spec: Gives the temperature that is in the scores, and the confidence threshold.
    """
    confidence, right = evaluation.confidence, evaluation.right
    raw = evaluation.confidence_in(apply_temperature(evaluation.scores, 1 / spec.temperature))
    return CalibrationReport(
        temperature=spec.temperature,
        ece_before=expected_calibration_error(raw, right),
        ece_after=expected_calibration_error(confidence, right),
        error=measure_calibration_error(confidence, right),
        reliability_before=bin_by_confidence(raw, right),
        reliability_after=bin_by_confidence(confidence, right),
        min_confidence=spec.min_confidence,
        selective_accuracy=measure_selective_accuracy(
            confidence, right, min_confidence=spec.min_confidence
        ),
    )
