"""Assign rows to columns so that the gains add up to the most. numpy only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def assign_columns(gains: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return for each row a column of its own, so that the sum of the gains is the largest.

    The Hungarian method with potentials and shortest augmenting paths (H. W. Kuhn, "The Hungarian
    method for the assignment problem", Naval Research Logistics Quarterly 2 (1955), 83-97).

    Args:
        gains: (M, K) with M at most K.
    """
    costs, (m, k) = -gains, gains.shape
    row_costs, column_costs = np.zeros(m + 1), np.zeros(k + 1)
    row_of = np.zeros(k + 1, np.int64)  # from 1; 0 is none, and column 0 the row to place
    for row in range(1, m + 1):
        row_of[0] = row
        column = 0
        came_from = np.zeros(k + 1, np.int64)
        nearest, used = np.full(k + 1, np.inf), np.zeros(k + 1, bool)
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
