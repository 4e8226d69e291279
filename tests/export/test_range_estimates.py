"""Ranges of activations from their values."""

from __future__ import annotations

import numpy as np
import pytest

from edgeemo.export.range_estimates import estimate_ranges
from edgeemo.model.quantisation import RangeMethod


def _estimate(values, method):
    values = np.asarray(values, np.float32)

    def run():
        for part in np.array_split(values, 4):  # as of four images
            yield {"tensor": part}

    return estimate_ranges(run, RangeMethod(method))["tensor"]


def _error(values, low, high):
    """Return the mean squared error of int8 with a range."""
    low, high = min(low, 0), max(high, 0)
    step = (high - low) / 255
    rounded = np.clip(np.round((values - low) / step), 0, 255) * step + low
    return float(((rounded - values) ** 2).mean())


@pytest.fixture
def spiked():
    """20,000 values of a half normal distribution, and one far out."""
    values = np.abs(np.random.default_rng(0).standard_normal(20_000)).astype(np.float32)
    values[11] = 100
    return values


def test_minmax_holds_every_value(spiked):
    assert _estimate(spiked, "minmax") == (spiked.min(), 100)


def test_percentile_leaves_out_a_value_far_out(spiked):
    low, high = _estimate(spiked, "percentile")
    assert 2.5 < high < 12
    assert low < 0.05
    body = spiked[spiked < 10]
    assert _error(body, low, high) < _error(body, *_estimate(spiked, "minmax")) / 50


def test_mse_leaves_out_a_value_that_costs_more_than_it_is_worth():
    values = np.abs(np.random.default_rng(0).standard_normal(500_000)).astype(np.float32)
    values[11] = 12
    low, high = _estimate(values, "mse")
    assert values[values < 10].max() < high < 10
    assert _error(values, low, high) < 0.8 * _error(values, *_estimate(values, "minmax"))


@pytest.mark.parametrize("method", ["percentile", "mse"])
def test_both_ends_are_kept_where_nothing_is_far_out(method):
    values = np.linspace(-3, 5, 10_000)
    assert _estimate(values, method) == pytest.approx((-3, 5), abs=0.05)


@pytest.mark.parametrize("method", ["minmax", "percentile", "mse"])
def test_a_constant_has_its_value_as_range(method):
    assert _estimate([2.0] * 8, method) == (2, 2)


def test_mse_is_no_worse_than_any_other(spiked):
    least = _error(spiked, *_estimate(spiked, "mse"))
    for method in ("minmax", "percentile"):
        assert least <= 1.02 * _error(spiked, *_estimate(spiked, method))
