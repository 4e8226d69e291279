"""Events: what changed from one observation to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.live.observation import Event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeemo.live.observation import Observation, TrackedFace


class EventMaker:
    """Compares each observation with the one before."""

    def __init__(self) -> None:
        self._known: dict[int, TrackedFace] = {}
        self._label_since: dict[int, float] = {}

    def update(self, seen: Observation) -> Iterator[Event]:
        """Yield the events of an observation: faces that left, appeared, and changed labels.

        Args:
            seen: The observation; one with an error changes nothing.
        """
        if seen.error is not None:
            return
        now, time_s = {each.id: each for each in seen.faces}, seen.frame.time_s
        for id, face in list(self._known.items()):
            if id not in now:
                del self._known[id], self._label_since[id]
                yield Event(kind="left", time_s=time_s, face=face, duration_s=time_s - face.since_s)
        for id, face in now.items():
            before = self._known.get(id)
            self._known[id] = face
            if before is None:
                self._label_since[id] = time_s
                yield Event(kind="appeared", time_s=time_s, face=face)
            elif before.steady.label != face.steady.label:
                shown = time_s - self._label_since[id]
                self._label_since[id] = time_s
                yield Event(
                    kind="changed",
                    time_s=time_s,
                    face=face,
                    previous=before.steady.label,
                    duration_s=shown,
                )
