"""What a model's confidence is worth on its test split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgeemo.metrics import (
    ReliabilityBin,
    SelectiveAccuracy,
    apply_temperature,
    bin_by_confidence,
    expected_calibration_error,
    measure_selective_accuracy,
)
from edgeemo.utils.serialize import to_plain

if TYPE_CHECKING:
    from edgeemo.model.spec import ModelSpec
    from edgeemo.train.report.evaluation import Evaluation


@dataclass(frozen=True, kw_only=True)
class Certainty:
    """How confidence and accuracy agree; confidence is the probability of the label answered.

    Attributes:
        temperature: What the logits were divided by; 1 where they were left alone.
        ece_before: Expected calibration error (15 bins of equal mass) without it, 0 to 1.
        ece_after: The same with it.
        before: The bins of the reliability diagram without it.
        after: The same with it.
        min_confidence: Below it the model answers "not sure"; 0 if it never does.
        answered: What it answers then, and how well.
    """

    temperature: float
    ece_before: float
    ece_after: float
    before: tuple[ReliabilityBin, ...]
    after: tuple[ReliabilityBin, ...]
    min_confidence: float
    answered: SelectiveAccuracy

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON types."""
        return {
            "temperature": self.temperature,
            "ece_before": self.ece_before,
            "ece_after": self.ece_after,
            "reliability_before": to_plain(self.before),
            "reliability_after": to_plain(self.after),
            "min_confidence": self.min_confidence,
            "answered": to_plain(self.answered),
        }


def certainty(evaluation: Evaluation, *, spec: ModelSpec) -> Certainty:
    """Judge the confidence of a model's answers.

    Args:
        evaluation: Of the test split, as the model answers now.
        spec: Gives the temperature that is in the answers, and the least confidence.
    """
    stated, right = evaluation.confidence, evaluation.right
    raw = evaluation.stated(apply_temperature(evaluation.scores, 1 / spec.temperature))
    return Certainty(
        temperature=spec.temperature,
        ece_before=expected_calibration_error(raw, right),
        ece_after=expected_calibration_error(stated, right),
        before=bin_by_confidence(raw, right),
        after=bin_by_confidence(stated, right),
        min_confidence=spec.min_confidence,
        answered=measure_selective_accuracy(stated, right, min_confidence=spec.min_confidence),
    )
