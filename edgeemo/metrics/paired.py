"""Comparison of two models on the same images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from edgeemo.metrics.intervals import Interval, wilson_interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@dataclass(frozen=True, kw_only=True)
class PairedAccuracy:
    """Accuracy of two models on the same images, and the difference.

    Attributes:
        reference: Accuracy of the reference model.
        candidate: Accuracy of the other model.
        only_reference_right: Number of images that only the reference model predicts correctly.
        only_candidate_right: Number of images that only the other model predicts correctly.
        mcnemar_p: Exact two-sided p-value of McNemar's test.
    """

    DERIVED: ClassVar[tuple[str, ...]] = ("difference", "net_extra_errors")

    reference: Interval
    candidate: Interval
    only_reference_right: int
    only_candidate_right: int
    mcnemar_p: float

    @property
    def difference(self) -> float:
        """Return the accuracy of the candidate minus that of the reference model, -1 to 1."""
        return self.candidate.value - self.reference.value

    @property
    def net_extra_errors(self) -> int:
        """Return the number of additional errors of the candidate; negative if it has fewer."""
        return self.only_reference_right - self.only_candidate_right


def compare_accuracy(reference_correct: ArrayLike, candidate_correct: ArrayLike) -> PairedAccuracy:
    """Compare two models' correct and wrong predictions for the same images.

    Args:
        reference_correct: (N,) whether the reference model is correct.
        candidate_correct: (N,) whether the other model is correct, in the same order.

    Raises:
        ValueError: If the two lengths differ.
    """
    ours, theirs = np.asarray(reference_correct, bool), np.asarray(candidate_correct, bool)
    if ours.shape != theirs.shape or ours.ndim != 1:
        raise ValueError(f"{ours.shape} against {theirs.shape} predictions")
    only_ours, only_theirs = int((ours & ~theirs).sum()), int((theirs & ~ours).sum())
    return PairedAccuracy(
        reference=wilson_interval(int(ours.sum()), ours.size),
        candidate=wilson_interval(int(theirs.sum()), theirs.size),
        only_reference_right=only_ours,
        only_candidate_right=only_theirs,
        mcnemar_p=mcnemar_p_value(only_ours, only_theirs),
    )


def mcnemar_p_value(only_a_right: int, only_b_right: int) -> float:
    """Return the exact two-sided p-value of McNemar's test.

    It is twice the smaller binomial tail, at most 1.

    Q. McNemar, "Note on the sampling error of the difference between correlated proportions or
    percentages", Psychometrika 12 (1947), 153-157; the exact binomial form is Edwards' (1948).

    Args:
        only_a_right: Number of images that only model A predicts correctly.
        only_b_right: Number of images that only model B predicts correctly.

    Returns:
        The p-value, 0 to 1; 1 if the two never differ.

    Raises:
        ValueError: If a count is negative.
    """
    if min(only_a_right, only_b_right) < 0:
        raise ValueError(f"counts {only_a_right} and {only_b_right}")
    n = only_a_right + only_b_right
    tail = term = 1
    for k in range(min(only_a_right, only_b_right)):
        term = term * (n - k) // (k + 1)
        tail += term
    return min(1.0, (2 * tail) / (1 << n))
