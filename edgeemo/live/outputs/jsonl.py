"""JSON lines: one object per frame, or one per event."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgeemo.live.observation import Event, Observation, TrackedFace
    from edgeemo.live.outputs.clock import Clock
    from edgeemo.live.outputs.lines import LineWriter
    from edgeemo.runtime.prediction import Prediction

_DIGITS = 6
"""Decimals of a steady probability: those of a raw one are the model's."""


class FrameLines:
    """One JSON object per frame.

    Args:
        lines: Writes the lines.
        clock: The meaning of times.
    """

    name = "standard output"

    def __init__(self, lines: LineWriter, clock: Clock) -> None:
        self._lines, self._clock = lines, clock

    def add_observation(self, seen: Observation) -> None:
        """See `edgeemo.live.outputs.base.Output.add_observation`."""
        self._lines.write(json.dumps(observation_fields(seen, self._clock)))

    def add_event(self, event: Event) -> None:
        """Ignore it: the next frame shows it."""

    def close(self) -> None:
        """See `edgeemo.live.outputs.base.Output.close`."""
        self._lines.close()


class EventLines:
    """One JSON object per event.

    Args:
        lines: Writes the lines.
        clock: The meaning of times.
    """

    name = "standard output"

    def __init__(self, lines: LineWriter, clock: Clock) -> None:
        self._lines, self._clock = lines, clock

    def add_observation(self, seen: Observation) -> None:
        """Ignore it."""

    def add_event(self, event: Event) -> None:
        """See `edgeemo.live.outputs.base.Output.add_event`."""
        self._lines.write(json.dumps(event_fields(event, self._clock)))

    def close(self) -> None:
        """See `edgeemo.live.outputs.base.Output.close`."""
        self._lines.close()


def observation_fields(seen: Observation, clock: Clock) -> dict[str, Any]:
    """Return an observation as the value of JSON.

    Args:
        seen: The observation.
        clock: The meaning of times.
    """
    fields: dict[str, Any] = {
        "time": clock.to_seconds(seen.frame.time_s),
        "frame": seen.frame.number,
        "passed_over": seen.passed_over,
        "moving": seen.is_moving,
    }
    if seen.frame.name:
        fields["file"] = seen.frame.name
    if seen.error is not None:
        fields["error"] = seen.error
    else:
        fields["faces"] = [face_fields(each) for each in seen.faces]
    return {**fields, "ms": {stage: round(ms, 3) for stage, ms in seen.ms.items()}}


def event_fields(event: Event, clock: Clock, *, name: str = "") -> dict[str, Any]:
    """Return an event as the value of JSON.

    Args:
        event: The event.
        clock: The meaning of times.
        name: Name of the camera; empty for none.
    """
    fields: dict[str, Any] = {"event": event.kind, "time": clock.to_seconds(event.time_s)}
    if name:
        fields["name"] = name
    if event.face is not None:
        fields |= face_fields(event.face)
    if event.previous:
        fields["previous"] = event.previous
    if event.kind in ("changed", "left", "back"):
        fields["duration_s"] = round(event.duration_s, 3)
    if event.text:
        fields["text"] = event.text
    return fields


def face_fields(face: TrackedFace) -> dict[str, Any]:
    """Return a face as the value of JSON."""
    return {
        "id": face.id,
        "label": face.steady.label,
        "box": list(face.face.box) if face.face else None,
        "raw": _prediction_fields(face.raw) if face.raw else None,
        "steady": _prediction_fields(face.steady, digits=_DIGITS),
    }


def _prediction_fields(found: Prediction, *, digits: int | None = None) -> dict[str, Any]:
    def rounded(number: float) -> float:
        return number if digits is None else round(number, digits)

    scores = {label: rounded(score) for label, score in found.scores.items()}
    score = rounded(found.score)
    return {"label": found.label, "guess": found.guess, "score": score, "scores": scores}
