"""Drawn faces that change between happy and sad, so that anybody can try `edgeemo live`."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from threading import Event as Flag
from typing import TYPE_CHECKING, get_args

import numpy as np
from PIL import Image

from edgeemo.dataset.synthetic.cartoon import Mood, draw_face, randomize_face
from edgeemo.live.frame import Frame
from edgeemo.live.pixels import ImagePixels

if TYPE_CHECKING:
    from edgeemo.live.sources.settings import SourceSettings

MOOD_S = 4.0
"""Seconds for which a drawn face keeps its mood."""

_MOODS: tuple[Mood, ...] = get_args(Mood)
_GROUND = (96, 104, 112)
_OVERSAMPLE = 3  # drawn larger and reduced: Pillow's drawing has no anti-aliasing


@dataclass(frozen=True, kw_only=True)
class _Actor:
    """A drawn person.

    Attributes:
        seed: Seed of the features; one whose moods the included model recognises.
        side: Side of the drawn square, as a share of the frame's shorter side.
        place: Centre of the square, as a share of the frame's width.
        lead_s: Seconds by which the moods are ahead.
        visible_s: Seconds for which the person is there, and for which not.
    """

    seed: int
    side: float
    place: float
    lead_s: float = 0.0
    visible_s: tuple[float, float] | None = None

    def is_visible(self, time_s: float) -> bool:
        """Return whether the person is there at a time, in seconds."""
        if self.visible_s is None:
            return True
        here, away = self.visible_s
        return time_s % (here + away) >= away

    def draw(self, side: int) -> list[Image.Image]:
        """Return the person in every mood, RGBA, of (side, side) pixels."""
        return [self._draw_mood(mood, side) for mood in _MOODS]

    def _draw_mood(self, mood: Mood, side: int) -> Image.Image:
        face = randomize_face(np.random.default_rng(self.seed), mood)
        plain = replace(
            face, strength=1.0, opening=0.0, turn=0.0, gaze=(0.0, 0.0),
            glasses=False, beard=False, tear=False,
        )  # fmt: skip
        return draw_face(plain, side * _OVERSAMPLE).reduce(_OVERSAMPLE)


_ACTORS = (
    _Actor(seed=13, side=0.9, place=0.33),
    _Actor(seed=0, side=0.8, place=0.74, lead_s=2.0, visible_s=(10.0, 6.0)),
)


class DrawnFaces:
    """A live source of drawn faces: one that stays, and one that comes and goes.

    Args:
        settings: The size and the frame rate.
    """

    name, is_live, is_device, can_reopen = "test", True, False, True

    def __init__(self, settings: SourceSettings) -> None:
        self._settings = settings

    def open(self) -> Drawing:
        """See `edgeemo.live.sources.base.Source.open`."""
        return Drawing(self._settings)


class Drawing:
    """The scene, drawn when a frame is due.

    Args:
        settings: As of `DrawnFaces`.
    """

    def __init__(self, settings: SourceSettings) -> None:
        self._size, self._fps = settings.size, settings.fps
        self._side = min(settings.size)
        self._ground = Image.new("RGB", settings.size, _GROUND)
        self._drawn = [actor.draw(max(8, round(actor.side * self._side))) for actor in _ACTORS]
        self._closed = Flag()
        self._started = time.monotonic()
        self._next = 0

    def read(self) -> Frame | None:
        """See `edgeemo.live.sources.base.FrameStream.read`."""
        number, self._next = self._next, self._next + 1
        due = self._started + number / self._fps
        if self._closed.wait(max(0.0, due - time.monotonic())):
            return None
        return Frame(number=number, time_s=due, pixels=ImagePixels(self.draw(number / self._fps)))

    def close(self) -> None:
        """See `edgeemo.live.sources.base.FrameStream.close`."""
        self._closed.set()

    def draw(self, time_s: float) -> Image.Image:
        """Return the scene at a time, in seconds."""
        scene = self._ground.copy()
        for actor, moods in zip(_ACTORS, self._drawn, strict=True):
            if actor.is_visible(time_s):
                face = moods[int((time_s + actor.lead_s) / MOOD_S) % len(moods)]
                scene.paste(face, self._place(actor, face.width, time_s), mask=face)
        return scene

    def _place(self, actor: _Actor, side: int, time_s: float) -> tuple[int, int]:
        """Return where the upper left corner of a face is: it sways a little."""
        width, height = self._size
        sway, nod = math.sin(0.9 * time_s + actor.seed), 1 + math.sin(1.7 * time_s + actor.seed)
        left = actor.place * width - side / 2 + 0.05 * self._side * sway
        return round(left), round(height - side + 0.03 * self._side * nod)
