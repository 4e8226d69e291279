"""Quantiles of measured times, with distribution-free confidence intervals.

The ends of an interval are two of the measured values: the number of n values below the true
p-quantile is binomial (n, p), which gives their ranks (H. A. David and H. N. Nagaraja, Order
Statistics, 3rd ed., section 7.1). Standard library only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

CONFIDENCE = 0.95
"""Lower bound of the probability that an interval contains the true value."""


@dataclass(frozen=True)
class Estimate:
    """A measured value and its confidence interval.

    Attributes:
        value: The value.
        low: Lower end of the interval; None if there are too few values for one.
        high: Upper end of the interval, or None.
    """

    value: float
    low: float | None = None
    high: float | None = None

    @property
    def precision(self) -> float:
        """Return half the width of the interval over the value; infinite if an end is open."""
        if self.low is None or self.high is None or self.value <= 0:
            return math.inf
        return (self.high - self.low) / 2 / self.value


def estimate_quantile(values: Sequence[float], p: float) -> Estimate:
    """Estimate the p-quantile of independent values.

    Args:
        values: At least one.
        p: 0 to 1.

    Returns:
        One of the values, and two of them as the ends of its interval.
    """
    ordered = sorted(values)
    n = len(ordered)
    low, high = _find_ranks(n, p)
    return Estimate(
        ordered[max(math.ceil(p * n - 1e-9), 1) - 1],
        ordered[low - 1] if low >= 1 else None,
        ordered[high - 1] if high <= n else None,
    )


def estimate_median(rounds: Sequence[Sequence[float]]) -> Estimate:
    """Estimate the median of values from several rounds, each in a process of its own.

    Values of one round resemble each other more than those of another process, whose memory lies
    elsewhere or which ran when the machine was hotter. The interval therefore also contains that of
    the rounds' medians, which needs six rounds to have two ends.

    Args:
        rounds: The values of each round, at least one in each.
    """
    pooled = estimate_quantile([value for each in rounds for value in each], 0.5)
    between = estimate_quantile([estimate_quantile(each, 0.5).value for each in rounds], 0.5)
    if pooled.low is None or pooled.high is None or between.low is None or between.high is None:
        return Estimate(pooled.value)
    return Estimate(pooled.value, min(pooled.low, between.low), max(pooled.high, between.high))


@lru_cache
def _find_ranks(n: int, p: float) -> tuple[int, int]:
    """Return the ranks (from 1) of the interval's ends among n values; 0 or n + 1 is open."""
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
