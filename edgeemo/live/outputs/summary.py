"""Summary of a run: who was there when, and with which labels. Bounded, however long it runs."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.live.observation import Event, Observation, TrackedFace

MAX_FACES = 100
"""Faces that are listed: those that were there longest."""
_MAX_SPANS = 600
"""Stretches of one label that a time line holds, which is about 1,000 pixels wide."""
_LONGEST_STEP_S = 1.0
"""Seconds for which a label counts at most without another frame."""


@dataclass(slots=True)
class Span:
    """A stretch of one label.

    Attributes:
        start_s: Its beginning, as `Frame.time_s`.
        end_s: Its end.
        label: The label.
    """

    start_s: float
    end_s: float
    label: str


@dataclass(slots=True)
class TimeLine:
    """Labels over time.

    Attributes:
        spans: Stretches of one label, in their order.
        seconds: Seconds per label.
    """

    spans: list[Span] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def add(self, label: str, time_s: float, *, step_s: float) -> None:
        """Add the label of a frame.

        Args:
            label: The label.
            time_s: Time of the frame.
            step_s: Seconds since the frame before.
        """
        self.seconds[label] += step_s
        last = self.spans[-1] if self.spans else None
        is_joined = last is not None and 0 <= time_s - last.end_s <= _LONGEST_STEP_S
        if last is not None and is_joined:
            last.end_s = time_s
            if last.label == label:
                return
        self.spans.append(Span(time_s, time_s, label))
        if len(self.spans) > _MAX_SPANS:
            self._merge_shortest()

    def shares(self, labels: Sequence[str]) -> list[float]:
        """Return the share of each label, 0 to 1."""
        total = sum(self.seconds.values())
        return [self.seconds[label] / total if total else 0.0 for label in labels]

    def _merge_shortest(self) -> None:
        """Let the shortest stretch but the first and the last become part of the one before."""
        spans = self.spans
        at = min(range(1, len(spans) - 1), key=lambda row: spans[row].end_s - spans[row].start_s)
        spans[at - 1].end_s = max(spans[at - 1].end_s, spans[at].end_s)
        del spans[at]


@dataclass(slots=True)
class FaceSummary:
    """What was seen of a face, or of the frame as a whole.

    Attributes:
        id: Its number.
        is_face: Whether it is a face.
        first_s: Time of its first frame.
        last_s: Time of its last frame.
        frames: Number of frames.
        steady: Its steady labels.
        raw: Its labels frame by frame.
    """

    id: int
    is_face: bool
    first_s: float
    last_s: float
    frames: int = 0
    steady: TimeLine = field(default_factory=TimeLine)
    raw: TimeLine = field(default_factory=TimeLine)

    @property
    def name(self) -> str:
        """Return its name: "face 1", or "image"."""
        return f"face {self.id}" if self.is_face else "image"

    @property
    def span_s(self) -> float:
        """Return the seconds from its first to its last frame."""
        return self.last_s - self.first_s


class Summary:
    """Collects what a summary tells.

    Attributes:
        frames: Number of frames.
        damaged: Number of frames that could not be used.
        start_s: Time of the first frame.
        end_s: Time of the last frame.
        face_count: Number of faces, those not listed included.
        seconds: Seconds per steady label, of all faces.
        changes: Number of changes of a label.
    """

    def __init__(self) -> None:
        self.frames = self.damaged = self.face_count = self.changes = 0
        self.start_s = self.end_s = 0.0
        self.total = TimeLine()
        self._faces: dict[int, FaceSummary] = {}

    @property
    def faces(self) -> list[FaceSummary]:
        """Return the faces, in the order of their numbers."""
        return sorted(self._faces.values(), key=lambda face: face.id)

    @property
    def seconds(self) -> dict[str, float]:
        """Return the seconds per steady label, of all faces."""
        return self.total.seconds

    def add_observation(self, seen: Observation) -> None:
        """Add what is seen in a frame."""
        time_s = seen.frame.time_s
        if not self.frames:
            self.start_s = self.end_s = time_s
        step_s = min(max(0.0, time_s - self.end_s), _LONGEST_STEP_S)
        self.end_s = max(self.end_s, time_s)
        self.frames += 1
        self.damaged += seen.error is not None
        for face in seen.faces:
            self._add_face(face, time_s, step_s)

    def add_event(self, event: Event) -> None:
        """Count a change."""
        self.changes += event.kind == "changed"

    def _add_face(self, face: TrackedFace, time_s: float, step_s: float) -> None:
        known = self._faces.get(face.id)
        if known is None:
            self.face_count += 1
            self._make_room(time_s)
            known = FaceSummary(face.id, face.face is not None, time_s, time_s)
            self._faces[face.id] = known
            step_s = 0.0
        known.last_s, known.frames = time_s, known.frames + 1
        label = face.steady.label
        known.steady.add(label, time_s, step_s=step_s)
        self.seconds[label] += step_s
        if face.raw is not None:
            known.raw.add(face.raw.label, time_s, step_s=step_s)

    def _make_room(self, now_s: float) -> None:
        """Forget the face that was there shortest, of those that have left."""
        if len(self._faces) < MAX_FACES:
            return
        gone = [each for each in self._faces.values() if each.last_s < now_s - _LONGEST_STEP_S]
        shortest = min(gone or self._faces.values(), key=lambda face: face.span_s)
        del self._faces[shortest.id]
