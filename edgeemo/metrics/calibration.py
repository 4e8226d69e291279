"""Whether a probability means what it says, and the temperature that makes it do so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_FLOOR = 2.0**-24
"""A float32 probability is 1 from 1 - 2**-24 on: what lies beyond on either side is unknown."""


@dataclass(frozen=True, kw_only=True)
class Bin:
    """Images of similar confidence: one point of a reliability diagram.

    Attributes:
        confidence: Their mean confidence, 0 to 1.
        accuracy: Share of them answered rightly, 0 to 1.
        count: How many they are; at least 1.
    """

    confidence: float
    accuracy: float
    count: int


def reliability(confidence: ArrayLike, correct: ArrayLike, *, bins: int = 15) -> tuple[Bin, ...]:
    """Confidence against accuracy, over bins that hold equally many images (give or take one).

    Where several images share one confidence each counts with their common accuracy, so the order
    of the images has no effect.

    Args:
        confidence: (N,) probability of the label answered, 0 to 1.
        correct: (N,) whether that label was right.
        bins: Number of bins; fewer where there are fewer images.

    Returns:
        The bins from the least to the most confident; none where there is no image.

    Raises:
        ValueError: If the two lengths differ or `bins` is less than 1.
    """
    stated, right = np.asarray(confidence, np.float64), np.asarray(correct, np.float64)
    if stated.shape != right.shape or stated.ndim != 1 or bins < 1:
        raise ValueError(f"{stated.shape} confidences, {right.shape} answers, {bins} bins")
    if not stated.size:
        return ()
    _, which, counts = np.unique(stated, return_inverse=True, return_counts=True)
    shared = (np.bincount(which, weights=right) / counts)[which]
    order = np.argsort(stated, kind="stable")
    return tuple(
        Bin(
            confidence=float(stated[rows].mean()),
            accuracy=float(shared[rows].mean()),
            count=rows.size,
        )
        for rows in np.array_split(order, min(bins, stated.size))
    )


def expected_calibration_error(
    confidence: ArrayLike, correct: ArrayLike, *, bins: int = 15
) -> float:
    """Mean gap between confidence and accuracy over the bins of `reliability`.

    M. P. Naeini, G. Cooper and M. Hauskrecht, "Obtaining well calibrated probabilities using
    Bayesian binning", AAAI 2015, with bins of equal mass instead of equal width (J. Nixon et al.,
    "Measuring calibration in deep learning", CVPR workshops 2019).

    Args:
        confidence: As in `reliability`.
        correct: As in `reliability`.
        bins: As in `reliability`.

    Returns:
        The error, 0 (perfectly calibrated) to 1; 0 where there is no image.

    Raises:
        ValueError: As `reliability`.
    """
    found = reliability(confidence, correct, bins=bins)
    images = sum(each.count for each in found)
    gaps = sum(each.count * abs(each.accuracy - each.confidence) for each in found)
    return gaps / images if images else 0.0


def logits(scores: ArrayLike) -> NDArray[np.float64]:
    """Logits that a softmax turns into these probabilities, which fixes them but for a constant.

    With two labels the difference of the two is the logit of a sigmoid.

    Args:
        scores: (N, K) probabilities; those below 2**-24 count as that.

    Returns:
        (N, K) natural logarithms.
    """
    return np.log(np.maximum(np.asarray(scores, np.float64), _FLOOR))


def tempered(scores: ArrayLike, temperature: float) -> NDArray[np.float64]:
    """The probabilities that a network gives once its logits are divided by a temperature.

    C. Guo, G. Pleiss, Y. Sun and K. Weinberger, "On calibration of modern neural networks", ICML
    2017. The order of the labels stays; with 1 / T it is undone.

    Args:
        scores: (N, K) probabilities.
        temperature: Above 1 makes them less extreme, below 1 more; 1 leaves them as they are.

    Returns:
        (N, K) probabilities.

    Raises:
        ValueError: If the temperature is not above 0.
    """
    if not temperature > 0:
        raise ValueError(f"temperature {temperature}")
    if temperature == 1:
        return np.asarray(scores, np.float64)
    scaled = logits(scores) / temperature
    odds = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=-1, keepdims=True), np.float64)
