"""Another order of a model's labels that fits labelled images clearly better. numpy only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.metrics.intervals import Interval, wilson_interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


_MAJORITY = 0.5
"""Share of the images of the labels that change places that must be right then: of two classes that
a model confuses, such as sad and neutral, one may often be predicted for the other."""


@dataclass(frozen=True, kw_only=True)
class BetterOrder:
    """An order of the labels that is clearly better than the given one.

    Attributes:
        order: For each output the index of the label that it seems to stand for.
        accuracy: Accuracy with that order, on the same images. It was chosen on them.
        given: Accuracy with the given order.
    """

    order: tuple[int, ...]
    accuracy: Interval
    given: Interval


def find_better_order(confusion: ArrayLike) -> BetterOrder | None:
    """Return the order of the labels under which most images are predicted rightly.

    Args:
        confusion: (K, K) numbers of images, by the index of the true label and that of the output
            that is largest. Rows without images are allowed: those outputs keep their labels, as
            far as these are free.

    Returns:
        The order, or None where none is better with its whole interval.
    """
    counts = np.asarray(confusion, np.int64)
    rows = np.flatnonzero(counts.sum(axis=1))
    n, right = int(counts.sum()), int(np.trace(counts))
    outputs = assign_columns(counts[rows])
    best = int(counts[rows, outputs].sum())
    accuracy, given = wilson_interval(best, n), wilson_interval(right, n)
    moved = outputs != rows
    is_majority = counts[rows, outputs][moved].sum() > _MAJORITY * counts[rows][moved].sum()
    if not (is_majority and is_clearly_better(accuracy, given)):
        return None
    order = dict(zip(outputs.tolist(), rows.tolist(), strict=True))
    free = [label for label in range(len(counts)) if label not in order.values()]
    for output in range(len(counts)):
        if output not in order and output in free:
            order[output] = output
            free.remove(output)
    for output in range(len(counts)):
        order.setdefault(output, free[0] if free else 0)
        free = [label for label in free if label != order[output]]
    return BetterOrder(
        order=tuple(order[output] for output in range(len(counts))),
        accuracy=accuracy,
        given=given,
    )


def is_clearly_better(accuracy: Interval, given: Interval) -> bool:
    """Return whether an accuracy is above another with its whole interval."""
    return accuracy.low > given.high


def assign_columns(gains: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each row a column of its own, so that the sum of the gains is the largest.

    The Hungarian method with potentials and shortest augmenting paths (H. W. Kuhn, "The Hungarian
    method for the assignment problem", Naval Research Logistics Quarterly 2 (1955), 83-97).

    Args:
        gains: (M, K) with M at most K.
    """
    costs, (m, k) = -gains, gains.shape
    row_costs, column_costs = np.zeros(m + 1, np.int64), np.zeros(k + 1, np.int64)
    row_of = np.zeros(k + 1, np.int64)  # from 1; 0 is none, and column 0 the row to place
    for row in range(1, m + 1):
        row_of[0] = row
        column = 0
        came_from = np.zeros(k + 1, np.int64)
        nearest, used = np.full(k + 1, np.iinfo(np.int64).max), np.zeros(k + 1, bool)
        while row_of[column]:
            used[column] = True
            at = int(row_of[column])
            reduced = costs[at - 1] - row_costs[at] - column_costs[1:]
            closer = ~used[1:] & (reduced < nearest[1:])
            nearest[1:][closer] = reduced[closer]
            came_from[1:][closer] = column
            open_columns = np.flatnonzero(~used[1:]) + 1
            column = open_columns[np.argmin(nearest[open_columns])].item()
            step = nearest[column]
            row_costs[row_of[used]] += step
            column_costs[used] -= step
            nearest[open_columns] -= step
        while column:
            row_of[column] = row_of[came_from[column]]
            column = int(came_from[column])
    found = np.zeros(m, np.int64)
    for taken in np.flatnonzero(row_of[1:]):
        found[row_of[taken + 1] - 1] = taken
    return found
