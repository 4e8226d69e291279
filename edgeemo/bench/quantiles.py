"""Quantiles of measured times, with intervals that assume nothing of how the times are spread.

The interval of a quantile lies between two of the measured values: how many of n values lie below
the true p-quantile is binomial (n, p), so their ranks follow from that distribution (H. A. David
and H. N. Nagaraja, Order Statistics, 3rd ed., section 7.1). Standard library only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

CONFIDENCE = 0.95
"""Probability that an interval holds the true value; because of the ranks it is a little more."""


@dataclass(frozen=True)
class Estimate:
    """A measured value and its interval.

    Attributes:
        value: The value.
        low: Lower end of the interval; None where there are too few values to give one.
        high: Upper end of the interval, or None.
    """

    value: float
    low: float | None = None
    high: float | None = None

    @property
    def precision(self) -> float:
        """Half the width of the interval as a share of the value; infinite where an end is open."""
        if self.low is None or self.high is None or self.value <= 0:
            return math.inf
        return (self.high - self.low) / 2 / self.value


def quantile(values: Sequence[float], p: float) -> Estimate:
    """The p-quantile of independent values: one of them, and between which two of them it lies.

    Args:
        values: At least one.
        p: Between 0 and 1.
    """
    ordered = sorted(values)
    n = len(ordered)
    low, high = _ranks(n, p)
    return Estimate(
        ordered[max(math.ceil(p * n - 1e-9), 1) - 1],
        ordered[low - 1] if low >= 1 else None,
        ordered[high - 1] if high <= n else None,
    )


def median_over_rounds(rounds: Sequence[Sequence[float]]) -> Estimate:
    """The median of values that came in several rounds, each in a process of its own.

    Values of one round resemble each other more than those of another process, which has its memory
    elsewhere or ran when the machine was hotter. So the interval also holds that of the rounds'
    medians. Six rounds or more are needed for it to have two ends.

    Args:
        rounds: The values of each round, at least one in each.
    """
    pooled = quantile([value for each in rounds for value in each], 0.5)
    between = quantile([quantile(each, 0.5).value for each in rounds], 0.5)
    if pooled.low is None or pooled.high is None or between.low is None or between.high is None:
        return Estimate(pooled.value)
    return Estimate(pooled.value, min(pooled.low, between.low), max(pooled.high, between.high))


@lru_cache
def _ranks(n: int, p: float) -> tuple[int, int]:
    """Ranks (from 1) of the interval's ends among n ordered values; 0 or n + 1: open."""
    tail = (1 - CONFIDENCE) / 2
    low, high, below = 0, n + 1, 0.0
    for k in range(n + 1):  # `below` becomes P(at most k values lie below the quantile)
        below += math.exp(
            math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
            + k * math.log(p) + (n - k) * math.log1p(-p)
        )  # fmt: skip
        if below <= tail:
            low = k + 1
        if below >= 1 - tail:
            high = k + 1
            break
    return low, high
