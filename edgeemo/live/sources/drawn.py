"""Drawn faces that change between happy and sad, so that anybody can try `edgeemo live`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from edgeemo.dataset.synthetic.cartoon import draw_face, randomize_face
from edgeemo.dataset.synthetic.draw import MOODS
from edgeemo.live.frame import Frame
from edgeemo.live.pixels import ImagePixels

if TYPE_CHECKING:
    from edgeemo.live.sources.settings import SourceSettings

MOOD_S = 4.0
"""Seconds for which a drawn face keeps its mood."""

_GROUND = (96, 104, 112)


class DrawnFaces:
    """A live source of drawn faces.

    Args:
        settings: The size and the frame rate.
    """

    name, is_live, is_device, can_reopen = "test", True, False, True

    def __init__(self, settings: SourceSettings) -> None:
        self._settings = settings

    def open(self) -> _Drawing:
        """See `edgeemo.live.sources.base.Source.open`."""
        return _Drawing(self._settings)


class _Drawing:
    def __init__(self, settings: SourceSettings) -> None:
        self._settings = settings
        side = min(settings.size)
        self._moods = [
            draw_face(randomize_face(np.random.default_rng(3), mood), side) for mood in MOODS
        ]
        self._started = time.monotonic()
        self._next = 0

    def read(self) -> Frame:
        number, self._next = self._next, self._next + 1
        due = self._started + number / self._settings.fps
        time.sleep(max(0.0, due - time.monotonic()))
        return Frame(number=number, time_s=due, pixels=ImagePixels(self._draw(number)))

    def close(self) -> None:
        pass

    def _draw(self, number: int) -> Image.Image:
        seconds = number / self._settings.fps
        face = self._moods[int(seconds / MOOD_S) % len(self._moods)]
        scene = Image.new("RGB", self._settings.size, _GROUND)
        space = scene.width - face.width
        scene.paste(face, (round(space * (0.5 + 0.4 * np.sin(seconds))), 0), mask=face)
        return scene
