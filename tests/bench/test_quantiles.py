"""Intervals from order statistics hold what they promise."""

from __future__ import annotations

import math

import numpy as np
import pytest

from edgeemo.bench.quantiles import Estimate, estimate_median, estimate_quantile


@pytest.mark.parametrize(
    ("n", "p", "low", "high"),
    [
        (6, 0.5, 1, 6),  # 1 - 2 / 2^6 = 96.9 %
        (5, 0.5, None, None),  # 1 - 2 / 2^5 = 93.8 %
        (100, 0.5, 40, 61),  # the textbook's ranks
        (368, 0.99, 360, 368),
        (367, 0.99, 359, None),  # 0.99^367 > 2.5 %: the true p99 may lie above all values
    ],
)
def test_the_ends_are_the_values_of_known_ranks(n, p, low, high):
    found = estimate_quantile([float(rank) for rank in range(n, 0, -1)], p)
    assert (found.low, found.high) == (low, high)


@pytest.mark.parametrize(("n", "p"), [(6, 0.5), (90, 0.5), (540, 0.9), (540, 0.99)])
def test_the_interval_holds_the_true_quantile_95_times_in_100(n, p):
    draws = np.random.default_rng(0).exponential(size=(2000, n))
    truth = -math.log(1 - p)
    found = [estimate_quantile(row, p) for row in draws.tolist()]
    held = np.mean([each.low <= truth <= each.high for each in found])
    assert 0.94 <= held <= 0.99


def test_the_value_is_one_of_those_measured():
    assert estimate_quantile([3.0], 0.5) == Estimate(3.0)
    assert estimate_quantile([1.0, 2.0, 3.0, 4.0], 0.5).value == 2.0
    assert estimate_quantile([float(x) for x in range(1, 501)], 0.99).value == 495.0


def test_processes_that_differ_make_the_medians_interval_wider():
    """Each process is sure of itself, but they do not agree: pooling alone would not show it."""
    rounds = [
        [base + step / 1000 for step in range(100)] for base in (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)
    ]
    found = estimate_median(rounds)
    pooled = estimate_quantile([value for each in rounds for value in each], 0.5)
    assert found.value == pooled.value
    assert (found.low, found.high) == pytest.approx((1.049, 6.049))
    assert pooled.low > 2.9


def test_five_processes_are_too_few_for_an_interval():
    assert estimate_median([[1.0] * 100] * 5) == Estimate(1.0)
    assert estimate_median([[1.0] * 100] * 6) == Estimate(1.0, 1.0, 1.0)


def test_precision_is_half_the_width_as_a_share():
    assert Estimate(10.0, 9.0, 12.0).precision == pytest.approx(0.15)
    assert Estimate(10.0, 9.0, None).precision == math.inf
