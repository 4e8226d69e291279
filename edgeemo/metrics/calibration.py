"""Whether a probability means what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def expected_calibration_error(
    confidence: ArrayLike, correct: ArrayLike, *, bins: int = 15
) -> float:
    """Mean gap between confidence and accuracy, over bins that hold equally many pictures.

    M. P. Naeini, G. Cooper and M. Hauskrecht, "Obtaining well calibrated probabilities using
    Bayesian binning", AAAI 2015, with bins of equal mass instead of equal width (J. Nixon et al.,
    "Measuring calibration in deep learning", CVPR workshops 2019). Where several pictures share one
    confidence each counts with their common accuracy, so the order of the pictures has no effect.

    Args:
        confidence: (N,) probability of the label answered, 0 to 1.
        correct: (N,) whether that label was right.
        bins: Number of bins; fewer where there are fewer pictures.

    Returns:
        The error, 0 (perfectly calibrated) to 1; 0 where there is no picture.

    Raises:
        ValueError: If the two lengths differ or `bins` is less than 1.
    """
    stated, right = np.asarray(confidence, np.float64), np.asarray(correct, np.float64)
    if stated.shape != right.shape or stated.ndim != 1 or bins < 1:
        raise ValueError(f"{stated.shape} confidences, {right.shape} answers, {bins} bins")
    if not stated.size:
        return 0.0
    _, which, counts = np.unique(stated, return_inverse=True, return_counts=True)
    shared = (np.bincount(which, weights=right) / counts)[which]
    order = np.argsort(stated, kind="stable")
    gaps = np.array_split((stated - shared)[order], min(bins, stated.size))
    return float(sum(abs(gap.sum()) for gap in gaps) / stated.size)
