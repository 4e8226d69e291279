"""Image features for a simple classifier: histograms of oriented gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

CELLS = 8
"""Number of cells along each side of an image."""

ORIENTATIONS = 8
"""Number of orientations in each cell."""

FEATURES = CELLS * CELLS * ORIENTATIONS

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
    count, side, _ = pixels.shape
    strength, low, share = _compute_gradients(pixels.astype(np.float32))
    cell = np.arange(side) * CELLS // side
    place = (cell[:, None] * CELLS + cell) * ORIENTATIONS
    place = place + np.arange(count)[:, None, None] * FEATURES
    length = count * FEATURES
    upper = (low + 1) % ORIENTATIONS
    histograms = np.bincount(
        (place + low).ravel(), (strength * (1 - share)).ravel(), length
    ) + np.bincount((place + upper).ravel(), (strength * share).ravel(), length)
    cells = histograms.astype(np.float32).reshape(count, CELLS, CELLS, ORIENTATIONS)
    scaled = np.sqrt(cells / _measure_surroundings(cells)[..., None])
    return np.asarray((scaled.clip(0, 1) * 255).round(), np.uint8).reshape(count, FEATURES)


def _compute_gradients(
    pixels: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32]]:
    """Return strength, orientation rounded down, and the fraction towards the next one."""
    across, down = np.zeros_like(pixels), np.zeros_like(pixels)
    across[:, :, 1:-1] = pixels[:, :, 2:] - pixels[:, :, :-2]
    down[:, 1:-1] = pixels[:, 2:] - pixels[:, :-2]
    angle = np.arctan2(down, across) % np.float32(np.pi) * np.float32(ORIENTATIONS / np.pi)
    low = np.floor(angle)
    return np.hypot(across, down), low.astype(np.int64) % ORIENTATIONS, angle - low


def _measure_surroundings(cells: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the length of all histograms in the 3x3 cells around each."""
    energy = np.pad((cells**2).sum(axis=-1), ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(energy, (3, 3), axis=(1, 2))
    return np.asarray(np.sqrt(windows.sum(axis=(-1, -2)) + _SMALL), np.float32)
