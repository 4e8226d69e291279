"""Traces of enlargement in the spectrum: detail ends far below what the pixels could hold."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.dataset.processing.matrices import multiply

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_SIDE = 32
"""Smallest side of a patch, in pixels: its spectrum needs a frequency in each band."""

_BANDS = 16
_PIECE = 8  # patches transformed at once: more do not fit into the cache
_FLOOR = 1e-3  # added to the power of a band: rounding to 8 bits has about 0.1


def measure_drop(patches: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Measure the drop of the spectrum where the detail of an enlarged image ends.

    An image enlarged n times has no detail above the n-th part of the frequencies that its pixels
    can hold. The power of natural images falls smoothly instead, with the square of the frequency
    (D. J. Field, "Relations between the statistics of natural images and the response properties of
    cortical cells", JOSA A 4 (1987), 2379-2394). The drop is the larger of those around a half and
    around a third of the frequencies.

    Args:
        patches: Shape (N, H, W), uint8, grey; H and W at least `MIN_SIDE`.

    Returns:
        Shape (N,), decadic logarithm of the ratio of the power below to that above.
    """
    pieces = [
        _measure_bands(patches[start : start + _PIECE]) for start in range(0, len(patches), _PIECE)
    ]
    bands = np.concatenate(pieces)
    half = bands[:, 4] - bands[:, 8]
    third = bands[:, 2:4].mean(axis=1) - bands[:, 5:7].mean(axis=1)
    return np.asarray(np.maximum(half, third))


def _measure_bands(patches: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the logarithm of the mean power in 16 bands of frequency: shape (N, 16)."""
    window, bands = _make_bands(patches.shape[1:])
    centred = patches - patches.mean(axis=(1, 2), keepdims=True, dtype=np.float32)
    spectrum = np.fft.rfft2(centred * window)
    power: NDArray[np.float32] = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
    return np.asarray(
        np.log10(multiply(power.reshape(len(patches), -1), bands) + _FLOOR), np.float64
    )


@lru_cache(maxsize=64)
def _make_bands(shape: tuple[int, int]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the window, shape (H, W), and the weights of each frequency in each band.

    A band holds the frequencies whose larger part, along x or y, is within a sixteenth of the
    highest: an enlargement cuts both alike.
    """
    height, width = shape
    window = np.hanning(height)[:, None] * np.hanning(width)
    down, across = np.abs(np.fft.fftfreq(height))[:, None], np.fft.rfftfreq(width)
    band = np.minimum(np.maximum(down, across) * 2 * _BANDS, _BANDS - 1).astype(int).ravel()
    weights = np.eye(_BANDS)[band]
    weights /= weights.sum(axis=0) * height * width
    return window.astype(np.float32), weights.astype(np.float32)
