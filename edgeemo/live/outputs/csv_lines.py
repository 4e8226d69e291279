"""CSV: one row per face and frame, or one per event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.runtime.prediction import NO_FACE
from edgeemo.utils.csv_text import to_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.live.observation import Event, Observation, TrackedFace
    from edgeemo.live.outputs.clock import Clock
    from edgeemo.live.outputs.lines import LineWriter
    from edgeemo.runtime.prediction import Prediction

_BOX = ("left", "top", "width", "height")


class FrameRows:
    """One row per face and frame; a frame without a face has one row, too.

    Args:
        lines: Writes the rows.
        clock: The meaning of times.
        labels: The model's labels.
    """

    name = "standard output"

    def __init__(self, lines: LineWriter, clock: Clock, labels: Sequence[str]) -> None:
        self._lines, self._clock, self._labels = lines, clock, labels
        names = ("time", "frame", "passed_over", "moving", "file", *_face_columns(labels))
        lines.write(to_line([*names, "ms", "error"]))

    def add_observation(self, seen: Observation) -> None:
        """See `edgeemo.live.outputs.base.Output.add_observation`."""
        frame = seen.frame
        start = [
            self._clock.to_seconds(frame.time_s),
            frame.number,
            seen.passed_over,
            "yes" if seen.is_moving else "no",
            frame.name,
        ]
        ms = f"{sum(seen.ms.values()):.3f}"
        for face in seen.faces:
            self._lines.write(to_line([*start, *_face_cells(face, self._labels), ms, ""]))
        if not seen.faces:
            blank = _blank_cells(self._labels, label="" if seen.error else NO_FACE)
            self._lines.write(to_line([*start, *blank, ms, seen.error or ""]))

    def add_event(self, event: Event) -> None:
        """Ignore it: the next frame shows it."""

    def close(self) -> None:
        """See `edgeemo.live.outputs.base.Output.close`."""
        self._lines.close()


class EventRows:
    """One row per event.

    Args:
        lines: Writes the rows.
        clock: The meaning of times.
        labels: The model's labels.
    """

    name = "standard output"

    def __init__(self, lines: LineWriter, clock: Clock, labels: Sequence[str]) -> None:
        self._lines, self._clock, self._labels = lines, clock, labels
        names = ("time", "event", "previous", "duration_s", *_face_columns(labels), "text")
        lines.write(to_line(names))

    def add_observation(self, seen: Observation) -> None:
        """Ignore it."""

    def add_event(self, event: Event) -> None:
        """See `edgeemo.live.outputs.base.Output.add_event`."""
        face = event.face
        cells = _face_cells(face, self._labels) if face else _blank_cells(self._labels)
        time_s, duration = self._clock.to_seconds(event.time_s), f"{event.duration_s:.3f}"
        self._lines.write(
            to_line([time_s, event.kind, event.previous, duration, *cells, event.text])
        )

    def close(self) -> None:
        """See `edgeemo.live.outputs.base.Output.close`."""
        self._lines.close()


def _face_columns(labels: Sequence[str]) -> list[str]:
    raw, steady = (
        [f"{kind}_label", f"{kind}_score", *(f"{kind} p({label})" for label in labels)]
        for kind in ("raw", "steady")
    )
    return ["id", "label", *_BOX, *raw, *steady]


def _face_cells(face: TrackedFace, labels: Sequence[str]) -> list[object]:
    box: Sequence[object] = face.face.box if face.face else [""] * len(_BOX)
    raw = _prediction_cells(face.raw) if face.raw else [""] * (2 + len(labels))
    return [face.id, face.steady.label, *box, *raw, *_prediction_cells(face.steady)]


def _prediction_cells(found: Prediction) -> list[object]:
    return [found.label, *(f"{each:.6g}" for each in (found.score, *found.scores.values()))]


def _blank_cells(labels: Sequence[str], *, label: str = "") -> list[object]:
    return ["", label, *[""] * (len(_BOX) + 2 * (2 + len(labels)))]
