"""Ranges of activations over the calibration images; the same computation for both formats.

A range that holds every value wastes its 256 steps where a few values lie far out. "percentile"
leaves out the outermost of them; "mse" takes the range whose error of rounding and clipping is
least. Both need the distribution: the images are run twice, for the limits and for a histogram.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgeemo.model.quantisation import RangeMethod

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from numpy.typing import NDArray

    Run = Callable[[], Iterable[Mapping[Any, NDArray[np.float32]]]]
    Ranges = dict[Any, tuple[np.float32, np.float32]]

_BINS = 2048
_OUTSIDE = 1e-4
"""Share of the values that "percentile" leaves out, half of it at each end."""

_STEPS = 255
_FRACTIONS = np.linspace(0.05, 1, 96)
"""Fractions of the smallest and of the largest value that "mse" tries."""

_ROUNDS = 3


def estimate_ranges(run: Run, method: RangeMethod) -> Ranges:
    """Return the range of each tensor over all images.

    Args:
        run: Runs the network on one image after the other, and yields the values of each tensor by
            a key of its own, in any shape.
        method: How to set the range.

    Returns:
        The smallest and the largest value that int8 has to represent, by key.
    """
    ranges: Ranges = {}
    for tensors in run():
        for key, values in tensors.items():
            low, high = ranges.get(key, (np.float32(np.inf), np.float32(-np.inf)))
            ranges[key] = min(low, values.min()), max(high, values.max())
    if method == RangeMethod.MINMAX:
        return ranges
    cut = _cut_percentile if method == RangeMethod.PERCENTILE else _minimise_error
    return {
        key: cut(counts, *ranges[key]) if ranges[key][0] < ranges[key][1] else ranges[key]
        for key, counts in _count(run, ranges).items()
    }


def _count(run: Run, ranges: Ranges) -> dict[Any, NDArray[np.float64]]:
    """Return the histogram of each tensor over its range, `_BINS` counts."""
    counts = {key: np.zeros(_BINS) for key in ranges}
    for tensors in run():
        for key, values in tensors.items():
            low, high = ranges[key]
            if low < high:
                counts[key] += np.histogram(values, _BINS, (float(low), float(high)))[0]
    return counts


def _cut_percentile(
    counts: NDArray[np.float64], low: np.float32, high: np.float32
) -> tuple[np.float32, np.float32]:
    edges = np.linspace(low, high, _BINS + 1)
    below = np.concatenate([[0], np.cumsum(counts)]) / counts.sum()
    first = edges[np.searchsorted(below, _OUTSIDE / 2, side="right") - 1]
    last = edges[np.searchsorted(below, 1 - _OUTSIDE / 2)]
    return np.float32(first), np.float32(last)


def _minimise_error(
    counts: NDArray[np.float64], low: np.float32, high: np.float32
) -> tuple[np.float32, np.float32]:
    """Return the range of least mean squared error.

    Of a value inside it is a twelfth of the squared step, outside the squared distance. The ends
    are moved in turn. A range of int8 includes 0, so an end on the other side of 0 stays.
    """
    edges = np.linspace(low, high, _BINS + 1)
    middles = (edges[1:] + edges[:-1]) / 2
    shares = counts / counts.sum()

    def measure(lows: NDArray[np.float64], highs: NDArray[np.float64]) -> NDArray[np.float64]:
        widths = np.maximum(highs, 0) - np.minimum(lows, 0)
        outside = np.maximum(lows[:, None] - middles, 0) + np.maximum(middles - highs[:, None], 0)
        inside = outside == 0
        errors = outside**2 + inside * (widths[:, None] / _STEPS) ** 2 / 12
        return np.asarray(errors @ shares)

    first, last = float(low), float(high)
    lows = low * _FRACTIONS if low < 0 else np.array([float(low)])
    highs = high * _FRACTIONS if high > 0 else np.array([float(high)])
    for _ in range(_ROUNDS):
        first = float(lows[measure(lows, np.full(len(lows), last)).argmin()])
        last = float(highs[measure(np.full(len(highs), first), highs).argmin()])
    return np.float32(first), np.float32(last)
