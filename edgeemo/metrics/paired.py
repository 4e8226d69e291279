"""Two models on the same images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from edgeemo.metrics.intervals import Interval, wilson

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@dataclass(frozen=True, kw_only=True)
class PairedAccuracy:
    """The accuracy of two models on the same images, and what sets them apart.

    Attributes:
        reference: The original's accuracy.
        candidate: The other's.
        only_reference_right: Images that the original alone answers rightly.
        only_candidate_right: Images that the other alone answers rightly.
        mcnemar_p: McNemar's exact two-sided p: how easily chance alone parts the two like this.
    """

    DERIVED: ClassVar[tuple[str, ...]] = ("difference", "net_extra_errors")

    reference: Interval
    candidate: Interval
    only_reference_right: int
    only_candidate_right: int
    mcnemar_p: float

    @property
    def difference(self) -> float:
        """The other's accuracy minus the original's, -1 to 1."""
        return self.candidate.value - self.reference.value

    @property
    def net_extra_errors(self) -> int:
        """How many more errors the other makes; negative where it makes fewer."""
        return self.only_reference_right - self.only_candidate_right


def compare_accuracy(reference_correct: ArrayLike, candidate_correct: ArrayLike) -> PairedAccuracy:
    """Compare two models' right and wrong answers to the same images.

    Args:
        reference_correct: (N,) whether the original was right.
        candidate_correct: (N,) whether the other was right, in the same order.

    Raises:
        ValueError: If the two lengths differ.
    """
    ours, theirs = np.asarray(reference_correct, bool), np.asarray(candidate_correct, bool)
    if ours.shape != theirs.shape or ours.ndim != 1:
        raise ValueError(f"{ours.shape} against {theirs.shape} answers")
    only_ours, only_theirs = int((ours & ~theirs).sum()), int((theirs & ~ours).sum())
    return PairedAccuracy(
        reference=wilson(int(ours.sum()), ours.size),
        candidate=wilson(int(theirs.sum()), theirs.size),
        only_reference_right=only_ours,
        only_candidate_right=only_theirs,
        mcnemar_p=mcnemar(only_ours, only_theirs),
    )


def mcnemar(only_a_right: int, only_b_right: int) -> float:
    """McNemar's test, exact and two-sided: twice the smaller binomial tail, at most 1.

    Q. McNemar, "Note on the sampling error of the difference between correlated proportions or
    percentages", Psychometrika 12 (1947), 153-157; the exact binomial form is Edwards' (1948).

    Args:
        only_a_right: Images that A alone answers rightly.
        only_b_right: Images that B alone answers rightly.

    Returns:
        The p-value, 0 to 1; 1 where the two never differ.

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
