"""Estimates with their 95 % interval, and Wilson's interval for a proportion."""

from __future__ import annotations

import math
from dataclasses import dataclass

Z = 1.959963984540054
"""The 0.975 quantile of the standard normal distribution."""


@dataclass(frozen=True, kw_only=True)
class Interval:
    """An estimate with its 95 % confidence interval.

    Attributes:
        value: The estimate.
        low: Lower end; at most `value`.
        high: Upper end; at least `value`.
        n: Number of images that the estimate is based on.
    """

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


def wilson_interval(successes: int, n: int) -> Interval:
    """Return a proportion with Wilson's score interval.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of
    the American Statistical Association 22 (1927), 209-212.

    Args:
        successes: Number of successful trials, 0 to `n`.
        n: Number of trials. Without trials the value is 0 by convention, the interval [0, 1].

    Raises:
        ValueError: If `successes` is not within 0 to `n`.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes in {n} trials")
    value = successes / n if n else 0.0
    low, high = wilson_limits(value, n)
    return Interval(value=value, low=low, high=high, n=int(n))


def wilson_limits(value: float, n: int) -> tuple[float, float]:
    """Return the ends of Wilson's interval for a proportion `value` of `n` trials."""
    if n == 0:
        return 0.0, 1.0
    centre = value + Z**2 / (2 * n)
    reach = Z * math.sqrt(value * (1 - value) / n + Z**2 / (4 * n**2))
    scale = 1 + Z**2 / n
    # The ends are exactly 0 and 1 where the value is; rounding must not change that.
    low, high = (centre - reach) / scale, (centre + reach) / scale
    return (
        min(max(low, 0.0), value) if value > 0 else 0.0,
        max(min(high, 1.0), value) if value < 1 else 1.0,
    )
