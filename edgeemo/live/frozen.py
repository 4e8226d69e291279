"""Whether a camera has frozen: it gives frames, and they are all the same."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from edgeemo.errors import ImageError

if TYPE_CHECKING:
    from edgeemo.live.frame import Frame

FROZEN_S = 10.0
"""Seconds of the same pixels after which a source counts as frozen: a sensor is never without
noise for so long."""

CHECK_S = 1.0
"""Seconds between two frames that are compared: comparing them all would cost their decoding."""


class FrozenDetector:
    """Compares a frame now and then with earlier ones.

    Attributes:
        is_frozen: Whether the pixels have been the same for `FROZEN_S`, so far.
    """

    def __init__(self) -> None:
        self.is_frozen = False
        self._mark: int | None = None
        self._since = self._checked = float("-inf")

    def update(self, frame: Frame, *, now_s: float) -> bool:
        """Return `is_frozen` after a frame; a frozen source's frames are compared one by one.

        Args:
            frame: The frame.
            now_s: The moment, on a clock that is never set.
        """
        if self.is_frozen or now_s - self._checked >= CHECK_S:
            mark = _mark_pixels(frame)
            if mark is None or mark != self._mark:
                self._mark, self._since, self.is_frozen = mark, now_s, False
            self._checked = now_s
            self.is_frozen = self.is_frozen or now_s - self._since >= FROZEN_S
        return self.is_frozen


def _mark_pixels(frame: Frame) -> int | None:
    """Return a number that differs where the pixels do; None of a damaged frame."""
    try:
        jpeg = frame.pixels.jpeg
        return zlib.crc32(frame.pixels.luma().tobytes() if jpeg is None else jpeg)
    except ImageError:
        return None
