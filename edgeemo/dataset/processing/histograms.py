"""Traces of processing in the histogram: an equalised image, and missing grey levels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEVELS = np.arange(256) / 255
_END = 3  # levels at each end that count as one: JPEG spreads what was cut at 0 or 255
_MIN_COUNT = 3  # pixels of each neighbour of a missing level
_MOST = 0.7  # share of the image in one level, or in the darkest and the brightest together
_ENOUGH_LEVELS = 48  # whose neighbours both occur, before a share of them is stated


def measure_flatness(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Measure how far histograms are from equalised ones.

    Equalisation maps a grey level to the share of the image that is darker, so afterwards the two
    are equal, even where the histogram has gaps and spikes. This is their mean difference over the
    pixels. Programs differ in how they count the level itself, the darkest and the brightest level
    (OpenCV's ``equalizeHist`` leaves out the darkest, Pillow's ``ImageOps.equalize`` the
    brightest), so it is the smallest of four differences.

    Args:
        counts: Shape (N, 256), number of pixels of each grey level; none is zero throughout.

    Returns:
        Shape (N,), 0 (equalised) to about 0.5; 1 where one level, or the two ends, hold most of
        the image: a blank page has no histogram to speak of.
    """
    shares = _join_ends(counts / counts.sum(axis=1, keepdims=True))
    upper = shares.cumsum(axis=1)
    lower = upper - shares
    number = np.arange(len(shares))
    darkest = (shares > 0).argmax(axis=1)
    brightest = 255 - (shares[:, ::-1] > 0).argmax(axis=1)
    dark, bright = shares[number, darkest, None], shares[number, brightest, None]
    without_dark, without_bright = shares.copy(), shares.copy()
    without_dark[number, darkest] = 0
    without_bright[number, brightest] = 0
    spread = (shares.max(axis=1) <= _MOST) & (dark + bright <= _MOST)[:, 0]
    differences = [
        _average(upper, shares),
        _average(lower, shares),
        _average((upper - dark) / np.maximum(1 - dark, 1 - _MOST), without_dark),
        _average(lower / np.maximum(1 - bright, 1 - _MOST), without_bright),
    ]
    return np.where(spread, np.minimum.reduce(differences), 1.0)


def measure_gaps(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Measure the share of grey levels that are missing between two that occur.

    Raising the contrast or the brightness of 8-bit values by 1.2 leaves out each sixth level.
    Lossy compression fills the gaps.

    Args:
        counts: Shape (N, 256), number of pixels of each grey level.

    Returns:
        Shape (N,), 0 to 1; 0 where too few levels occur.
    """
    occurs = counts >= _MIN_COUNT
    inside = occurs[:, :-2] & occurs[:, 2:]
    missing = inside & (counts[:, 1:-1] == 0)
    levels = inside.sum(axis=1)
    return np.where(levels >= _ENOUGH_LEVELS, missing.sum(axis=1) / np.maximum(levels, 1), 0.0)


def _join_ends(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    joined = shares.copy()
    for end, others in ((0, slice(1, _END + 1)), (255, slice(255 - _END, 255))):
        joined[:, end] += joined[:, others].sum(axis=1)
        joined[:, others] = 0
    return joined


def _average(darker: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean difference of a cumulative share from the grey level, 0 to 1."""
    differences = np.einsum("nl,nl->n", weights, np.abs(darker - _LEVELS))
    return np.asarray(differences / np.maximum(weights.sum(axis=1), 1 - _MOST))
