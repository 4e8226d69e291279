"""Calibration of probabilities: reliability, its error, and temperature scaling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

MOST_BINS = 15
_PER_BIN = 20
"""Images per bin that fewer bins are made for: the accuracy of a few images is mostly chance."""
_FLOOR = 2.0**-24
"""float32 probabilities above 1 - 2**-24 round to 1: smaller ones, too, are not told apart."""


@dataclass(frozen=True, kw_only=True)
class ReliabilityBin:
    """Images of similar confidence: one point of a reliability diagram.

    Attributes:
        confidence: Mean confidence, 0 to 1.
        accuracy: Share of correct predictions, 0 to 1.
        count: Number of images; at least 1.
    """

    confidence: float
    accuracy: float
    count: int


def choose_bins(images: int) -> int:
    """Return the number of bins for a number of images: 15 from 300 on, fewer below, at least 2."""
    return min(max(images // _PER_BIN, 2), MOST_BINS)


def bin_by_confidence(
    confidence: ArrayLike, correct: ArrayLike, *, bins: int | None = None
) -> tuple[ReliabilityBin, ...]:
    """Return confidence against accuracy in bins of equally many images, give or take one.

    Each of several images of the same confidence counts with their common accuracy, so the order
    of the images has no effect.

    Args:
        confidence: (N,) probability of the predicted label, 0 to 1.
        correct: (N,) whether that label is correct.
        bins: Number of bins, at most one per image; None for that of `choose_bins`.

    Returns:
        The bins from the lowest to the highest confidence; none without images.

    Raises:
        ValueError: If the two lengths differ or `bins` is less than 1.
    """
    stated, right = np.asarray(confidence, np.float64), np.asarray(correct, np.float64)
    bins = choose_bins(stated.size) if bins is None else bins
    if stated.shape != right.shape or stated.ndim != 1 or bins < 1:
        raise ValueError(f"{stated.shape} confidences, {right.shape} predictions, {bins} bins")
    if not stated.size:
        return ()
    _, which, counts = np.unique(stated, return_inverse=True, return_counts=True)
    shared = (np.bincount(which, weights=right) / counts)[which]
    order = np.argsort(stated, kind="stable")
    return tuple(
        ReliabilityBin(
            confidence=float(stated[rows].mean()),
            accuracy=float(shared[rows].mean()),
            count=rows.size,
        )
        for rows in np.array_split(order, min(bins, stated.size))
    )


def expected_calibration_error(
    confidence: ArrayLike, correct: ArrayLike, *, bins: int | None = None
) -> float:
    """Return the mean gap between confidence and accuracy over the bins of `bin_by_confidence`.

    M. P. Naeini, G. Cooper and M. Hauskrecht, "Obtaining well calibrated probabilities using
    Bayesian binning", AAAI 2015, with bins of equal mass instead of equal width (J. Nixon et al.,
    "Measuring calibration in deep learning", CVPR workshops 2019).

    Args:
        confidence: As in `bin_by_confidence`.
        correct: As in `bin_by_confidence`.
        bins: As in `bin_by_confidence`.

    Returns:
        The error, 0 (perfectly calibrated) to 1; 0 without images.

    Raises:
        ValueError: As `bin_by_confidence`.
    """
    found = bin_by_confidence(confidence, correct, bins=bins)
    images = sum(each.count for each in found)
    gaps = sum(each.count * abs(each.accuracy - each.confidence) for each in found)
    return gaps / images if images else 0.0


def softmax(logits: ArrayLike) -> NDArray[np.float64]:
    """Return the probabilities of logits: exp(x) / sum(exp(x)) over the last axis.

    Args:
        logits: (..., K).
    """
    values = np.asarray(logits, np.float64)
    odds = np.exp(values - values.max(axis=-1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=-1, keepdims=True), np.float64)


def to_logits(scores: ArrayLike) -> NDArray[np.float64]:
    """Return logits of which `softmax` makes these probabilities; they are unique up to a constant.

    With two labels the difference of the two is the logit of a sigmoid.

    Args:
        scores: (N, K) probabilities; those below 2**-24 count as 2**-24.

    Returns:
        (N, K) natural logarithms.
    """
    return np.log(np.maximum(np.asarray(scores, np.float64), _FLOOR))


def apply_temperature(scores: ArrayLike, temperature: float) -> NDArray[np.float64]:
    """Return the probabilities of a network whose logits are divided by a temperature.

    C. Guo, G. Pleiss, Y. Sun and K. Weinberger, "On calibration of modern neural networks", ICML
    2017. The order of the labels stays; 1 / T reverts T.

    Args:
        scores: (N, K) probabilities.
        temperature: Above 1 makes them less extreme, below 1 more; 1 returns them unchanged.

    Returns:
        (N, K) probabilities.

    Raises:
        ValueError: If the temperature is not above 0.
    """
    if not temperature > 0:
        raise ValueError(f"temperature {temperature}")
    if temperature == 1:
        return np.asarray(scores, np.float64)
    return softmax(to_logits(scores) / temperature)
