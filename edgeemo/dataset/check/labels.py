"""Suspicious labels: images that may be in the wrong class, for a person to look at.

A simple classifier that is not fitted to an image predicts its class, and confident learning
decides whether that contradicts the label: C. G. Northcutt, L. Jiang and I. L. Chuang, "Confident
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
"""Smallest number of images of each class."""

_ABOVE_CHANCE = 0.2  # smallest accuracy of the classifier, from 0 (chance) to 1 (always correct)


@dataclass(frozen=True, kw_only=True)
class SuspiciousLabel:
    """An image whose label the classifier contradicts.

    Attributes:
        path: Path relative to the data folder.
        label: Class of the image.
        suggested: Class that the classifier predicts.
        confidence: The classifier's probability of that class, 0 to 1.
    """

    path: str
    label: str
    suggested: str
    confidence: float


@dataclass(frozen=True, kw_only=True)
class LabelCheck:
    """The check of the labels.

    Attributes:
        accuracy: Balanced accuracy of the classifier, the labels taken as the truth; None if it
            could not be fitted. Wrong predictions lead to wrong suspicions.
        suspects: The suspicious labels, the most suspicious first.
        skipped: Reason why there is no result; empty with a result.
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
    groups: Sequence[int] | NDArray[np.int64],
) -> LabelCheck:
    """Find labels that a classifier contradicts.

    Args:
        paths: Path of each image.
        labels: Class of each image.
        classes: All classes.
        features: Shape (N, D), uint8.
        groups: Number of each image's group of near-duplicates: they are in one fold, since they
            would have the same wrong label.
    """
    index = {name: number for number, name in enumerate(classes)}
    truth = np.array([index[label] for label in labels], np.int64)
    counts = np.bincount(truth, minlength=len(classes))
    if len(classes) < 2 or counts.min() < MIN_IMAGES:
        return LabelCheck(
            accuracy=None,
            suspects=(),
            skipped=f"this requires at least two classes of at least {MIN_IMAGES} images each",
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
            skipped="the classifier is hardly better than chance",
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
    """Find the images off the diagonal of the confident joint.

    An image is counted for a class if its score for the class is at least the mean score of the
    images with that label (equation 2 of the paper); of several such classes, for the one with the
    highest score.

    Args:
        scores: Shape (N, K), probabilities from a classifier that is not fitted to the image.
        truth: Shape (N,), index of the label; each class has an image.

    Returns:
        Index of each image and of the class that it is counted for, the largest difference of
        the two scores first.
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
