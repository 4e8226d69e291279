"""Images that may lie in the wrong class: a suspicion, for a person to look at.

A simple classifier that has not seen an image says what it would call it, and confident learning
says where that contradicts the label: C. G. Northcutt, L. Jiang and I. L. Chuang, "Confident
Learning: Estimating Uncertainty in Dataset Labels", JAIR 70 (2021), 1373-1411.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.dataset.check.discriminant import predict_out_of_fold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MIN_IMAGES = 20
"""Images that each class needs."""

_ABOVE_CHANCE = 0.2  # of the way from chance to always right that the classifier must come


@dataclass(frozen=True, kw_only=True)
class SuspiciousLabel:
    """An image whose label the classifier contradicts.

    Attributes:
        path: Relative to the data folder.
        label: The class that it lies in.
        suggested: What it looks like instead.
        confidence: The classifier's probability for that, 0 to 1.
    """

    path: str
    label: str
    suggested: str
    confidence: float


@dataclass(frozen=True, kw_only=True)
class LabelCheck:
    """The search for wrong labels.

    Attributes:
        accuracy: Mean over the classes of the share that the classifier names as labelled; None
            where it could not be tried. What it gets wrong at this rate it accuses wrongly, too.
        suspects: Images in doubt, the most doubtful first.
        skipped: Why nothing can be said; empty if something can.
    """

    accuracy: float | None
    suspects: tuple[SuspiciousLabel, ...]
    skipped: str = ""


def check_labels(
    paths: Sequence[str],
    labels: Sequence[str],
    *,
    classes: Sequence[str],
    features: NDArray[np.uint8],
    groups: Sequence[int],
) -> LabelCheck:
    """Look for labels that a classifier contradicts.

    Args:
        paths: Of each image.
        labels: The class of each image.
        classes: All classes.
        features: Shape (N, D), uint8.
        groups: For each image a number shared with its near-duplicates: they are never used to
            judge each other, since they would bear the same wrong label.
    """
    index = {name: number for number, name in enumerate(classes)}
    truth = np.array([index[label] for label in labels], np.int64)
    counts = np.bincount(truth, minlength=len(classes))
    if len(classes) < 2 or counts.min() < MIN_IMAGES:
        return LabelCheck(
            accuracy=None,
            suspects=(),
            skipped=f"it takes two classes or more, of {MIN_IMAGES} images or more each",
        )
    scores = predict_out_of_fold(
        features, truth, np.asarray(groups, np.int64), classes=len(classes)
    )
    accuracy = _balanced_accuracy(scores, truth)
    chance = 1 / len(classes)
    if accuracy < chance + _ABOVE_CHANCE * (1 - chance):
        return LabelCheck(
            accuracy=accuracy,
            suspects=(),
            skipped="the classifier tells the classes apart hardly better than chance would",
        )
    suspects = [
        SuspiciousLabel(
            path=paths[number],
            label=classes[truth[number]],
            suggested=classes[other],
            confidence=float(scores[number, other]),
        )
        for number, other in find_contradictions(scores, truth)
    ]
    return LabelCheck(accuracy=accuracy, suspects=tuple(suspects))


def find_contradictions(
    scores: NDArray[np.float64], truth: NDArray[np.int64]
) -> list[tuple[int, int]]:
    """The images off the diagonal of the confident joint, and the class that each is counted to.

    An image counts to a class if its score for it reaches the mean score of the images labelled
    so (equation 2 of the paper); if several do, to the one of them with the highest score.

    Args:
        scores: Shape (N, K): probabilities from a classifier that has not seen the image.
        truth: Shape (N,): the label's index; each class has an image.

    Returns:
        Index of the image and of the class, by the margin of the label's score below the other
        one's, the widest first.
    """
    number, classes = np.arange(len(truth)), scores.shape[1]
    limits = np.array([scores[truth == label, label].mean() for label in range(classes)])
    eligible = np.where(scores >= limits, scores, -1.0)
    counted = eligible.argmax(axis=1)
    off = (eligible.max(axis=1) >= 0) & (counted != truth)
    margin = scores[number, truth] - scores[number, counted]
    found = number[off][np.argsort(margin[off], kind="stable")]
    return [(int(one), int(counted[one])) for one in found]


def _balanced_accuracy(scores: NDArray[np.float64], truth: NDArray[np.int64]) -> float:
    right = scores.argmax(axis=1) == truth
    return float(np.mean([right[truth == label].mean() for label in range(scores.shape[1])]))
