"""Answering fewer images in order to be right more often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from edgeemo.metrics.intervals import Interval, wilson

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

STEPS = 256
"""Least confidences are multiples of 1/256, the step in which int8 files answer, and at most
255/256, the most that they answer: so one least confidence means the same for every file."""


@dataclass(frozen=True, kw_only=True)
class Answered:
    """How many images are answered, and how well.

    Attributes:
        share: Share of all images whose answer has the least confidence or more.
        accuracy: Share of those that are answered rightly; 0 with the interval [0, 1] of none.
    """

    DERIVED: ClassVar[tuple[str, ...]] = ("count",)

    share: Interval
    accuracy: Interval

    @property
    def count(self) -> int:
        """How many images are answered."""
        return self.accuracy.n


@dataclass(frozen=True, kw_only=True)
class Abstention:
    """The least confidence for a wanted accuracy.

    Attributes:
        target_accuracy: The share of right answers that was wanted, between 0 and 1.
        reachable: Whether some least confidence keeps to it.
        min_confidence: The smallest that does; 0 where none does, so that all are answered.
        answered: What is answered with `min_confidence`, of the images it was found on.
        most_certain: The same with the least confidence whose accuracy has the highest lower end:
            how far one gets where the target is out of reach.
    """

    target_accuracy: float
    reachable: bool
    min_confidence: float
    answered: Answered
    most_certain: Answered

    @property
    def text(self) -> str:
        """The outcome as a sentence without its full stop."""
        wanted, images = f"{self.target_accuracy:.6g}", self.answered.share.n
        if not self.reachable:
            most = self.most_certain
            return (
                f"an accuracy of {wanted} is not shown on {images:,} validation images: of the "
                f"{most.count:,} most certain {most.accuracy} are right; every image is answered"
            )
        if self.min_confidence == 0:
            return f"every image is answered: {self.answered.accuracy} are right, wanted {wanted}"
        return (
            f"{self.answered.count:,} of {images:,} validation images "
            f"({self.answered.share.value:.1%}) have a confidence of {self.min_confidence:.4f} or "
            f"more and are answered: {self.answered.accuracy} are right, wanted {wanted}"
        )


def answered_from(confidence: ArrayLike, correct: ArrayLike, *, min_confidence: float) -> Answered:
    """What is answered where the confidence is `min_confidence` or more.

    Args:
        confidence: (N,) probability of the label to answer, 0 to 1.
        correct: (N,) whether that label is right.
        min_confidence: The least confidence.

    Raises:
        ValueError: If the two lengths differ.
    """
    stated, right = np.asarray(confidence, np.float64), np.asarray(correct, bool)
    if stated.shape != right.shape or stated.ndim != 1:
        raise ValueError(f"{stated.shape} confidences, {right.shape} answers")
    sure = stated >= min_confidence
    count = int(sure.sum())
    return Answered(
        share=wilson(count, stated.size), accuracy=wilson(int(right[sure].sum()), count)
    )


def min_confidence_for(
    scores: ArrayLike, truth: ArrayLike, predicted: ArrayLike, target_accuracy: float
) -> Abstention:
    """The smallest least confidence from which on answers are right as often as wanted.

    "As often as wanted" means that the lower end of Wilson's 95 % interval reaches the target, not
    only the share itself: the smallest of many thresholds that happens to fit these images would
    fall short on others half of the time. Y. Geifman and R. El-Yaniv, "Selective classification for
    deep neural networks", NeurIPS 2017, argue alike. The price is fewer answers, and that a
    target cannot be shown with few images: 0.95 takes 73 without an error.

    Args:
        scores: (N, K) probabilities as the runtime will see them.
        truth: (N,) class indices.
        predicted: (N,) class indices, as the model's threshold decided.
        target_accuracy: The wanted share of right answers, above 0; 1 is out of reach of any proof.

    Raises:
        ValueError: If the shapes do not fit, or the target is not above 0 and at most 1.
    """
    if not 0 < target_accuracy <= 1:
        raise ValueError(f"a target accuracy of {target_accuracy}")
    answers = np.asarray(predicted, np.int64)
    stated = _stated(np.asarray(scores, np.float64), answers)
    right = answers == np.asarray(truth, np.int64)
    tried = [answered_from(stated, right, min_confidence=step / STEPS) for step in range(STEPS)]
    fitting = [k for k, found in enumerate(tried) if found.accuracy.low >= target_accuracy]
    first = fitting[0] if fitting else 0
    return Abstention(
        target_accuracy=target_accuracy,
        reachable=bool(fitting),
        min_confidence=first / STEPS,
        answered=tried[first],
        most_certain=max(tried, key=lambda found: found.accuracy.low),
    )


def _stated(scores: NDArray[np.float64], answers: NDArray[np.int64]) -> NDArray[np.float64]:
    """The probability of each answer: (N,)."""
    if scores.ndim != 2 or answers.shape != scores.shape[:1]:
        raise ValueError(f"{scores.shape} scores for {answers.shape} answers")
    return np.asarray(scores[np.arange(answers.size), answers], np.float64)
