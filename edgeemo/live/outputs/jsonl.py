"""JSON lines: one object per frame, or one per event."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeemo.live.observation import Event, Observation, TrackedFace
    from edgeemo.runtime.prediction import Prediction


class FrameLines:
    """One JSON object per frame.

    Args:
        write: Writes a line.
    """

    name = "--json"

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    def add_observation(self, seen: Observation) -> None:
        """See `edgeemo.live.outputs.base.Output.add_observation`."""
        self._write(json.dumps(observation_fields(seen)))

    def add_event(self, event: Event) -> None:
        """Ignore it: the next frame shows it."""

    def close(self) -> None:
        """Do nothing."""


def observation_fields(seen: Observation) -> dict[str, Any]:
    """Return an observation as the value of JSON."""
    fields: dict[str, Any] = {
        "time": round(seen.frame.time_s, 3),
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


def face_fields(face: TrackedFace) -> dict[str, Any]:
    """Return a face as the value of JSON."""
    return {
        "id": face.id,
        "label": face.steady.label,
        "box": list(face.face.box) if face.face else None,
        "raw": _prediction_fields(face.raw) if face.raw else None,
        "steady": _prediction_fields(face.steady),
    }


def _prediction_fields(found: Prediction) -> dict[str, Any]:
    scores = {label: round(score, 6) for label, score in found.scores.items()}
    return {"label": found.label, "guess": found.guess, "score": found.score, "scores": scores}
