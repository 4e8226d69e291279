"""Selective classification: no prediction below a confidence threshold, for higher accuracy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from edgeemo.metrics.intervals import Interval, wilson_interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

STEPS = 256
"""Confidence thresholds are multiples of 1/256, the resolution of the scores of int8 files, and at
most 255/256, their highest score: so a threshold means the same for every file."""


@dataclass(frozen=True, kw_only=True)
class SelectiveAccuracy:
    """Share of the images above a confidence threshold, and the accuracy on them.

    Attributes:
        coverage: Share of all images whose confidence is at least the threshold.
        accuracy: Share of correct predictions among them; 0 with the interval [0, 1] for none.
    """

    DERIVED: ClassVar[tuple[str, ...]] = ("count",)

    coverage: Interval
    accuracy: Interval

    @property
    def count(self) -> int:
        """Return the number of images above the threshold."""
        return self.accuracy.n


@dataclass(frozen=True, kw_only=True)
class Abstention:
    """The confidence threshold for a target accuracy.

    Attributes:
        target_accuracy: Required share of correct predictions, above 0 to 1.
        reachable: Whether a threshold meets the target.
        min_confidence: The smallest threshold that does; 0 without one: nothing is withheld.
        achieved: Result with `min_confidence` on the images that it was chosen on.
        best: Result with the threshold whose accuracy has the highest lower end: the closest to
            an unreachable target.
    """

    target_accuracy: float
    reachable: bool
    min_confidence: float
    achieved: SelectiveAccuracy
    best: SelectiveAccuracy

    @property
    def text(self) -> str:
        """Return the outcome as a sentence without its full stop."""
        target, images = f"{self.target_accuracy:.6g}", self.achieved.coverage.n
        if not self.reachable:
            return (
                f"{images:,} validation images do not show an accuracy of {target}: that of the "
                f"{self.best.count:,} most confident predictions is {self.best.accuracy}; "
                "the model predicts a label for every image"
            )
        if self.min_confidence == 0:
            return (
                "the model predicts a label for every image: "
                f"accuracy {self.achieved.accuracy}, target {target}"
            )
        return (
            f"{self.achieved.count:,} of {images:,} validation images "
            f"({self.achieved.coverage.value:.1%}) reach the confidence threshold "
            f"{self.min_confidence:.4f}: accuracy {self.achieved.accuracy}, target {target}"
        )


def measure_selective_accuracy(
    confidence: ArrayLike, correct: ArrayLike, *, min_confidence: float
) -> SelectiveAccuracy:
    """Return coverage and accuracy of the predictions at or above a confidence threshold.

    Args:
        confidence: (N,) probability of the predicted label, 0 to 1.
        correct: (N,) whether that label is correct.
        min_confidence: The threshold, 0 to 1.

    Raises:
        ValueError: If the two lengths differ.
    """
    stated, right = np.asarray(confidence, np.float64), np.asarray(correct, bool)
    if stated.shape != right.shape or stated.ndim != 1:
        raise ValueError(f"{stated.shape} confidences, {right.shape} predictions")
    above = stated >= min_confidence
    count = int(above.sum())
    return SelectiveAccuracy(
        coverage=wilson_interval(count, stated.size),
        accuracy=wilson_interval(int(right[above].sum()), count),
    )


def find_min_confidence(
    scores: ArrayLike, truth: ArrayLike, predicted: ArrayLike, target_accuracy: float
) -> Abstention:
    """Find the smallest confidence threshold whose predictions meet a target accuracy.

    A threshold meets the target if the lower end of Wilson's 95 % interval does, not only the
    share itself: the smallest of many thresholds that happens to fit these images would fall short
    on others half of the time. Y. Geifman and R. El-Yaniv, "Selective classification for deep
    neural networks", NeurIPS 2017, reason likewise. The cost is a lower coverage, and that few
    images cannot show a high target: 0.95 takes 73 images without an error.

    Args:
        scores: (N, K) probabilities as the runtime returns them.
        truth: (N,) class indices.
        predicted: (N,) class indices, as the model's threshold decides.
        target_accuracy: Required share of correct predictions, above 0; no number of images shows
            an accuracy of 1.

    Raises:
        ValueError: If the shapes do not match, or the target is not above 0 and at most 1.
    """
    if not 0 < target_accuracy <= 1:
        raise ValueError(f"a target accuracy of {target_accuracy}")
    chosen = np.asarray(predicted, np.int64)
    stated = _select_confidence(np.asarray(scores, np.float64), chosen)
    right = chosen == np.asarray(truth, np.int64)
    results = [
        measure_selective_accuracy(stated, right, min_confidence=step / STEPS)
        for step in range(STEPS)
    ]
    meeting = [step for step in range(STEPS) if results[step].accuracy.low >= target_accuracy]
    first = meeting[0] if meeting else 0
    return Abstention(
        target_accuracy=target_accuracy,
        reachable=bool(meeting),
        min_confidence=first / STEPS,
        achieved=results[first],
        best=max(results, key=lambda result: result.accuracy.low),
    )


def _select_confidence(
    scores: NDArray[np.float64], predicted: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the probability of each predicted label: (N,)."""
    if scores.ndim != 2 or predicted.shape != scores.shape[:1]:
        raise ValueError(f"{scores.shape} scores for {predicted.shape} predictions")
    return np.asarray(scores[np.arange(predicted.size), predicted], np.float64)
