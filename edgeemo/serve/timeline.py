"""The labels of the last minutes, as stretches of time."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.live.observation import TrackedFace

SPAN_S = 300.0
"""Seconds that are kept."""

_MAX = 2000
_GAP_S = 3.0
"""Seconds without a face after which the same face and label begin a new stretch."""


@dataclass(slots=True)
class Stretch:
    """A stretch of time in which a face had one label.

    Attributes:
        id: The face.
        label: The label.
        start: Its beginning, in seconds since 1970.
        end: Its end so far.
    """

    id: int
    label: str
    start: float
    end: float


class TimeLine:
    """The stretches of the last `SPAN_S` seconds, in the order of their beginnings."""

    def __init__(self) -> None:
        self._stretches: deque[Stretch] = deque(maxlen=_MAX)
        self._open: dict[int, Stretch] = {}

    def add(self, faces: Sequence[TrackedFace], time: float) -> None:
        """Record the faces of an observation.

        Args:
            faces: The faces.
            time: When they were seen, in seconds since 1970.
        """
        seen = {}
        for face in faces:
            label, last = face.steady.label, self._open.get(face.id)
            if last is None or last.label != label or time - last.end > _GAP_S:
                last = Stretch(face.id, label, time, time)
                self._stretches.append(last)
            last.end = time
            seen[face.id] = last
        self._open = seen
        while self._stretches and self._stretches[0].end < time - SPAN_S:
            self._stretches.popleft()

    def list(self) -> list[Stretch]:
        """Return the stretches."""
        return list(self._stretches)
