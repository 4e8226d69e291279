"""The motion gate: whether anything moved since a frame was last looked at."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

PERIOD_S = 1.0
"""Longest time, in seconds, for which no frame is looked at."""

MIN_OPEN_S = 0.5
"""Least time, in seconds, for which every frame is looked at after a motion."""

_CHECK_S = 0.2  # between two checks while the gate is open
_SAMPLES = (160, 120)  # of a frame, across and down, at least
_CELL = 4  # samples across and down: a fortieth of the frame's width
_NOISE = 6.0  # standard deviations of a cell's change, beyond which it moved
_MIN_CHANGE, _MAX_CHANGE = 3.0, 24.0  # the same in grey levels, at least and at most
_NEW_LIGHT = 25.0  # grey levels, by which everything changed
_SIGMA = 1.2533  # standard deviations of a normal distribution in a mean absolute deviation


class MotionGate:
    """Compares the brightness of a frame with that of the last one that was looked at.

    A cell moved where its mean changes by more than the noise, which is estimated from all cells.
    Light that changes everywhere by the same amount, as that of lamps does, is no motion.

    Args:
        open_s: Seconds for which the gate stays open after a motion.
    """

    def __init__(self, *, open_s: float) -> None:
        self._open_s = open_s
        self._cells: NDArray[np.float32] | None = None
        self._looked_s = self._open_until_s = self._check_s = -math.inf

    def is_held(self, time_s: float) -> bool:
        """Return whether a frame has to be looked at whatever it shows; it counts as looked at.

        Args:
            time_s: Time of the frame, in seconds.
        """
        is_held = self._looked_s <= time_s < self._check_s
        if is_held:
            self._looked_s = time_s
        return is_held

    def is_open(self, luma: NDArray[np.uint8], time_s: float) -> bool:
        """Return whether another frame has to be looked at; it counts as looked at if so.

        Args:
            luma: The frame's brightness, (h, w), at any scale.
            time_s: Time of the frame, in seconds.
        """
        cells = average_cells(luma)
        is_set_back = time_s < self._looked_s
        if self._cells is None or is_set_back or has_moved(self._cells, cells):
            self._open_until_s = time_s + self._open_s
        if max(self._open_until_s, self._looked_s) <= time_s < self._looked_s + PERIOD_S:
            return False
        self._cells, self._looked_s = cells, time_s
        self._check_s = min(time_s + _CHECK_S, self._open_until_s)
        return True

    def stay_open(self) -> None:
        """Look at the next frames as well, as after a motion; no effect while the gate is held."""
        if self._looked_s >= self._open_until_s:
            self._open_until_s = self._looked_s + self._open_s


def average_cells(luma: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the mean brightness of every cell, from every n-th row and column."""
    step = max(1, min(luma.shape[1] // _SAMPLES[0], luma.shape[0] // _SAMPLES[1]))
    samples = luma[::step, ::step]
    height, width = (side // _CELL * _CELL for side in samples.shape)
    if not height * width:
        return samples.astype(np.float32)
    samples = samples[:height, :width].astype(np.uint16)
    # four sums are faster than one over two axes
    rows = samples[::4] + samples[1::4] + samples[2::4] + samples[3::4]
    cells = rows[:, ::4] + rows[:, 1::4] + rows[:, 2::4] + rows[:, 3::4]
    mean: NDArray[np.float32] = cells / np.float32(_CELL**2)
    return mean


def has_moved(before: NDArray[np.float32], after: NDArray[np.float32]) -> bool:
    """Return whether a cell changed by more than noise and light do."""
    if before.shape != after.shape:
        return True
    change = after - before
    light = float(change.mean())
    change = np.abs(change - light)
    limit = _NOISE * _SIGMA * float(change.mean())
    return abs(light) > _NEW_LIGHT or bool(change.max() > min(max(limit, _MIN_CHANGE), _MAX_CHANGE))
