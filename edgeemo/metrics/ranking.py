"""Area under the ROC curve with its interval."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.metrics.intervals import Interval, Z, wilson_limits

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def auc(positive: ArrayLike, score: ArrayLike) -> float:
    """Return the probability that a positive image scores above a negative one; ties count half.

    J. A. Hanley and B. J. McNeil, "The meaning and use of the area under a receiver operating
    characteristic (ROC) curve", Radiology 143 (1982), 29-36; computed from midranks.

    Args:
        positive: (N,) booleans, or 0 and 1.
        score: (N,) numbers that should be larger for positive images.

    Returns:
        0 to 1.

    Raises:
        ValueError: If one of the two classes has no image.
    """
    return _placements(positive, score)[0]


def auc_interval(positive: ArrayLike, score: ArrayLike) -> Interval:
    """Return `auc` with DeLong's interval, on the logit scale so that it stays within 0 and 1.

    E. R. DeLong, D. M. DeLong and D. L. Clarke-Pearson, "Comparing the areas under two or more
    correlated receiver operating characteristic curves", Biometrics 44 (1988), 837-845; by midranks
    after X. Sun and W. Xu, "Fast implementation of DeLong's algorithm", IEEE Signal Processing
    Letters 21 (2014), 1389-1393.

    That variance is 0 if the scores separate the classes perfectly or are all the same, and
    unknown for a class of one image. Then the interval is Wilson's for as many independent pairs
    as the smaller class has images, which is wider.

    Args:
        positive: As in `auc`.
        score: As in `auc`.

    Raises:
        ValueError: As `auc`.
    """
    value, ones, zeros = _placements(positive, score)
    n = ones.size + zeros.size
    variance = _variance(ones) + _variance(zeros)
    if variance > 0 and 0 < value < 1:
        low, high = _logit_limits(value, math.sqrt(variance))
    else:
        low, high = wilson_limits(value, min(ones.size, zeros.size))
    return Interval(value=value, low=min(low, value), high=max(high, value), n=n)


def _placements(
    positive: ArrayLike, score: ArrayLike
) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """Return the AUC, and for each positive and each negative image the share of pairs it wins."""
    is_one, values = np.asarray(positive).astype(bool), np.asarray(score, np.float64)
    ones, zeros = values[is_one], values[~is_one]
    if not ones.size or not zeros.size:
        raise ValueError("the AUC needs images of both classes")
    ranks = _midranks(values)
    above = (ranks[is_one] - _midranks(ones)) / zeros.size
    below = 1 - (ranks[~is_one] - _midranks(zeros)) / ones.size
    return float(above.mean()), above, below


def _midranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ranks from 1; equal values have the mean of their ranks."""
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[which], np.float64)


def _variance(placements: NDArray[np.float64]) -> float:
    if placements.size < 2:
        return math.nan  # compares false with everything: the caller uses the other interval
    return float(placements.var(ddof=1)) / placements.size


def _logit_limits(value: float, error: float) -> tuple[float, float]:
    centre, reach = math.log(value / (1 - value)), Z * error / (value * (1 - value))
    return _expit(centre - reach), _expit(centre + reach)


def _expit(x: float) -> float:
    return 0.5 * (1 + math.tanh(x / 2))
