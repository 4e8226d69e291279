"""Image features for a simple classifier: histograms of oriented gradients."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

CELLS = 8
"""Number of cells along each side of an image."""

ORIENTATIONS = 8
"""Number of orientations in each cell."""

FEATURES = CELLS * CELLS * ORIENTATIONS

_GREATEST = 255
_GRADIENTS = 2 * _GREATEST + 1  # across, and as many down
_PIECE = 4  # images computed at once: more do not fit into the cache
_SMALL = 1e-3


def compute_gradient_histograms(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Compute histograms of oriented gradients, each cell normalised by its neighbours.

    N. Dalal and B. Triggs, "Histograms of oriented gradients for human detection", CVPR 2005; with
    one histogram per cell, divided by the length of the 3x3 cells around it, and the square root of
    it (as in R. Arandjelovic and A. Zisserman, CVPR 2012).

    Args:
        pixels: Shape (N, 64, 64), uint8, grey.

    Returns:
        Shape (N, 512), uint8: 0 to 1 in 255 steps.
    """
    pieces = [pixels[start : start + _PIECE] for start in range(0, len(pixels), _PIECE)]
    return np.concatenate([_compute_piece(piece) for piece in pieces])


def _compute_piece(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    count, side, _ = pixels.shape
    index = _index_gradients(pixels)
    lower, upper, low, following = (np.take(table, index) for table in _tabulate_gradients())
    cell = np.arange(side) * CELLS // side
    place = (cell[:, None] * CELLS + cell) * ORIENTATIONS
    place = place + np.arange(count)[:, None, None] * FEATURES
    length = count * FEATURES
    histograms = np.bincount((place + low).ravel(), lower.ravel(), length) + np.bincount(
        (place + following).ravel(), upper.ravel(), length
    )
    cells = histograms.astype(np.float32).reshape(count, CELLS, CELLS, ORIENTATIONS)
    scaled = np.sqrt(cells / _measure_surroundings(cells)[..., None])
    return np.asarray((scaled.clip(0, 1) * 255).round(), np.uint8).reshape(count, FEATURES)


def _index_gradients(pixels: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Return the place of each gradient in the tables."""
    values = pixels.astype(np.int32)
    index = np.full(pixels.shape, _GREATEST * (_GRADIENTS + 1), np.int32)
    index[:, :, 1:-1] += values[:, :, 2:] - values[:, :, :-2]
    index[:, 1:-1] += (values[:, 2:] - values[:, :-2]) * _GRADIENTS
    return index


@lru_cache(maxsize=1)
def _tabulate_gradients() -> tuple[NDArray[np.float64 | np.int64], ...]:
    """Return what a gradient adds to two orientations, and the numbers of these.

    There are only 511x511 gradients, and looking them up is twice as fast as arctan2.
    """
    across = np.arange(-_GREATEST, _GREATEST + 1, dtype=np.float32)
    down = across[:, None]
    strength = np.hypot(across, down)
    angle = np.arctan2(down, across) % np.float32(np.pi) * np.float32(ORIENTATIONS / np.pi)
    low = np.floor(angle)
    share = angle - low
    number = low.astype(np.int64) % ORIENTATIONS
    added = [(strength * (1 - share)).astype(np.float64), (strength * share).astype(np.float64)]
    return tuple(table.ravel() for table in (*added, number, (number + 1) % ORIENTATIONS))


def _measure_surroundings(cells: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the length of all histograms in the 3x3 cells around each."""
    energy = np.pad((cells**2).sum(axis=-1), ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(energy, (3, 3), axis=(1, 2))
    return np.asarray(np.sqrt(windows.sum(axis=(-1, -2)) + _SMALL), np.float32)
