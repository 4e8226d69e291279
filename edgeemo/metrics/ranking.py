"""Area under the ROC curve, and its interval."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.metrics.intervals import Interval, Z, wilson_limits

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def auc(truth01: ArrayLike, score: ArrayLike) -> float:
    """The probability that an image of class 1 scores above one of class 0; ties count half.

    J. A. Hanley and B. J. McNeil, "The meaning and use of the area under a receiver operating
    characteristic (ROC) curve", Radiology 143 (1982), 29-36; computed from midranks.

    Args:
        truth01: (N,) 0 or 1, or booleans.
        score: (N,) any number that should be larger for class 1.

    Returns:
        0 to 1.

    Raises:
        ValueError: If one of the two classes has no image.
    """
    return _placements(truth01, score)[0]


def auc_interval(truth01: ArrayLike, score: ArrayLike) -> Interval:
    """`auc` with DeLong's interval, on the logit scale so that it stays within 0 and 1.

    E. R. DeLong, D. M. DeLong and D. L. Clarke-Pearson, "Comparing the areas under two or more
    correlated receiver operating characteristic curves", Biometrics 44 (1988), 837-845; by midranks
    after X. Sun and W. Xu, "Fast implementation of DeLong's algorithm", IEEE Signal Processing
    Letters 21 (2014), 1389-1393.

    That variance is 0 where the scores separate the classes perfectly (or are all the same) and
    unknown where a class has one image. There the interval is Wilson's for as many independent
    pairs as the rarer class allows: wider, and never a false certainty.

    Args:
        truth01: As in `auc`.
        score: As in `auc`.

    Raises:
        ValueError: As `auc`.
    """
    value, ones, zeros = _placements(truth01, score)
    n = ones.size + zeros.size
    variance = _variance(ones) + _variance(zeros)
    if variance > 0 and 0 < value < 1:
        low, high = _logit_limits(value, math.sqrt(variance))
    else:
        low, high = wilson_limits(value, min(ones.size, zeros.size))
    return Interval(value=value, low=min(low, value), high=max(high, value), n=n)


def _placements(
    truth01: ArrayLike, score: ArrayLike
) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """AUC, and for each image of class 1 and of class 0 the share of the others it beats."""
    positive, values = np.asarray(truth01).astype(bool), np.asarray(score, np.float64)
    ones, zeros = values[positive], values[~positive]
    if not ones.size or not zeros.size:
        raise ValueError("the AUC needs images of both classes")
    ranks = _midranks(values)
    above = (ranks[positive] - _midranks(ones)) / zeros.size
    below = 1 - (ranks[~positive] - _midranks(zeros)) / ones.size
    return float(above.mean()), above, below


def _midranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks from 1; equal values share the mean of theirs."""
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[which], np.float64)


def _variance(placements: NDArray[np.float64]) -> float:
    if placements.size < 2:
        return math.nan  # compares false with everything: the caller falls back
    return float(placements.var(ddof=1)) / placements.size


def _logit_limits(value: float, error: float) -> tuple[float, float]:
    centre, reach = math.log(value / (1 - value)), Z * error / (value * (1 - value))
    return _expit(centre - reach), _expit(centre + reach)


def _expit(x: float) -> float:
    return 0.5 * (1 + math.tanh(x / 2))
