"""Traces of an earlier JPEG compression, in the blocks of 8x8 pixels."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.dataset.processing.matrices import multiply

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK = 8
"""Side of a block of JPEG in pixels; a patch begins at a multiple of it."""

UNCOMPRESSED = bytes([1] * BLOCK * BLOCK)
"""Quantisation table of an image that is not stored as JPEG."""

_STANDARD = np.array(
    [
        [16, 11, 10, 16, 24, 40],
        [12, 12, 14, 19, 26, 0],
        [14, 13, 16, 24, 0, 0],
        [14, 17, 22, 0, 0, 0],
        [18, 22, 0, 0, 0, 0],
        [24, 0, 0, 0, 0, 0],
    ]
)  # of luminance, in Annex K of the standard (ITU-T T.81), where the frequencies add up to 5
_DOWN, _ACROSS = np.nonzero(_STANDARD * (np.add.outer(np.arange(6), np.arange(6)) > 0))
_SCALES = np.array([170, 145, 120, 100, 90, 80, 70, 60, 50, 42, 36, 30])  # percent of it
_QUALITIES = np.where(_SCALES >= 100, 5000 // _SCALES, 100 - _SCALES // 2)
_MULTIPLES = 128  # of a step of the file that are told apart
_FEWEST = 4.0  # smallest variance of the number of hits
_MIN_STEP, _MIN_RATIO = 4, 1.5  # of the earlier step, in grey values and against the file's own


def measure_earlier_quality(
    patches: NDArray[np.uint8], table: bytes
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Measure the evidence that images were compressed as JPEG before, more coarsely than now.

    A compression rounds each frequency of a block to multiples of a step; later rounding to finer
    steps leaves the values near them (J. Fridrich and J. Lukas, "Estimation of primary quantization
    matrix in double compressed JPEG images", DFRWS 2003). For several scales of the standard's
    table this counts the values within a quarter of a step of a multiple, zero left out, and
    compares that with the expectation from the density of the values around.

    Only the grid of the upper left corner is looked at: an image that was cropped or resized after
    the earlier compression has other blocks.

    Args:
        patches: Shape (N, H, W), uint8, grey, from a multiple of `BLOCK` on; H and W at least 8.
        table: The file's own quantisation table of luminance: 64 steps, row by row, or
            `UNCOMPRESSED`.

    Returns:
        Standard deviations above the expectation, of the scale with the most, and the quality, 1
        to 100; both of shape (N,).
    """
    excess, variance = _weigh_multiples(table)
    values = _transform(patches)
    multiples = np.minimum(np.rint(np.abs(values) / _select_steps(table)), _MULTIPLES - 1).astype(
        np.int64
    )
    count, _, frequencies = values.shape
    place = np.arange(count)[:, None, None] * frequencies + np.arange(frequencies)
    size = count * frequencies * _MULTIPLES
    counts = np.bincount((place * _MULTIPLES + multiples).ravel(), minlength=size)
    rows = counts.reshape(count, -1).astype(np.float32)
    spread = multiply(rows, variance)
    hits = multiply(rows, excess)
    scores = np.where(spread >= _FEWEST, hits / np.sqrt(np.maximum(spread, 1)), 0.0)
    best = scores.max(axis=1)
    coarsest = (scores >= best[:, None] / 2).argmax(axis=1)  # its values fit half the steps, too
    return best.astype(np.float64), _QUALITIES[coarsest]


def _select_steps(table: bytes) -> NDArray[np.uint8]:
    """Return the step of each used frequency."""
    return np.frombuffer(table, np.uint8).reshape(BLOCK, BLOCK)[_DOWN, _ACROSS]


def _transform(patches: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the used frequencies of each block: shape (N, blocks, frequencies)."""
    count, height, width = patches.shape
    down, across = height // BLOCK, width // BLOCK
    whole = patches[:, : down * BLOCK, : across * BLOCK].astype(np.float32)
    blocks = whole.reshape(count, down, BLOCK, across, BLOCK).transpose(0, 1, 3, 2, 4)
    flat = blocks.reshape(count, down * across, BLOCK * BLOCK)
    return flat @ _make_basis()


@lru_cache(maxsize=1)
def _make_basis() -> NDArray[np.float32]:
    """Return the cosines of the used frequencies: shape (64, frequencies)."""
    number = np.arange(BLOCK)
    cosines = np.sqrt(2 / BLOCK) * np.cos((2 * number + 1) * number[:, None] * np.pi / (2 * BLOCK))
    cosines[0] /= np.sqrt(2)
    basis = cosines[_DOWN][:, :, None] * cosines[_ACROSS][:, None, :]
    return np.asarray(basis.reshape(len(_DOWN), -1).T, np.float32)


@lru_cache(maxsize=32)
def _weigh_multiples(table: bytes) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return what a value counts for each scale: hit minus expected hit, and the variance.

    Returns:
        Two arrays of shape (frequencies * multiples, scales).
    """
    own = _select_steps(table)[:, None, None].astype(np.int64)
    standard = _STANDARD[_DOWN, _ACROSS, None, None]
    earlier = np.maximum((standard * _SCALES[:, None] + 50) // 100, 1)
    values = np.arange(_MULTIPLES) * own
    half = np.maximum(np.rint(earlier / own / 2), 1).astype(np.int64)
    expected = _average_period(own, earlier, half)
    hits = _is_near_multiple(values, earlier)
    told = (earlier >= _MIN_STEP) & (earlier >= _MIN_RATIO * own)
    told = told & (values > earlier / 2)
    told[..., -1] = False  # all the greater multiples as well
    excess = np.where(told, hits - expected, 0)
    variance = np.where(told, expected * (1 - expected), 0)
    return _flatten(excess), _flatten(variance)


def _is_near_multiple(values: NDArray[np.int64], steps: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return whether values are within a quarter of a step of a multiple of it."""
    remainder = values % steps
    return np.asarray(4 * np.minimum(remainder, steps - remainder) <= steps)


def _average_period(
    own: NDArray[np.int64], earlier: NDArray[np.int64], half: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the share of hits within half a period on both sides, the ends by half."""
    margin = int(half.max()) + 1
    hits = _is_near_multiple(np.arange(-margin, _MULTIPLES + margin) * own, earlier)
    sums = hits.cumsum(axis=-1)
    middle = np.arange(_MULTIPLES) + margin
    low, high = middle - half, middle + half
    inner = np.take_along_axis(sums, high - 1, -1) - np.take_along_axis(sums, low, -1)
    ends = np.take_along_axis(hits, high, -1).astype(int) + np.take_along_axis(hits, low, -1)
    return np.asarray((inner + ends / 2) / (2 * half))


def _flatten(weights: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return weights of shape (frequencies, scales, multiples) with a column per scale."""
    rows = np.moveaxis(weights, 1, -1).reshape(-1, len(_SCALES))
    return np.ascontiguousarray(rows, np.float32)
