"""What a page or a program learns about the live run, as values of JSON."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from edgeemo.live.outputs.jsonl import face_fields
from edgeemo.live.pace import processor_temperature
from edgeemo.utils.thermal import read_temperatures

if TYPE_CHECKING:
    from edgeemo.live.controls import Controls
    from edgeemo.serve.hub import Hub, Moment
    from edgeemo.serve.models import Models

_LOOK_S = 2.0
"""Seconds between two looks at the temperature."""


class StateReader:
    """Describes the live run.

    Args:
        hub: What it saw.
        controls: What it was asked for.
        models: Its model.
    """

    def __init__(self, hub: Hub, controls: Controls, models: Models) -> None:
        self._hub, self._controls, self._models = hub, controls, models
        self._looked, self._celsius = float("-inf"), None  # type: float, float | None

    def read_temperature(self) -> float | None:
        """Return the processor's temperature in degrees Celsius, some seconds old at most."""
        now = time.monotonic()
        if now - self._looked >= _LOOK_S:
            self._looked, self._celsius = now, processor_temperature(read_temperatures())
        return self._celsius

    def describe(self, moment: Moment | None) -> dict[str, Any]:
        """Return the state, with what was seen in a moment.

        Args:
            moment: The moment; None before the first frame.
        """
        hub, controls = self._hub, self._controls
        hub.watch_silence(is_paused=controls.paused)
        threshold = controls.min_confidence
        spec = self._models.classifier.spec
        return {
            "now": round(time.time(), 3),
            "source": {
                "state": hub.source,
                "text": hub.source_text,
                "since": round(hub.source_since, 3),
            },
            "paused": controls.paused,
            "min_confidence": spec.min_confidence if threshold is None else threshold,
            "model": self._models.name,
            "observed": hub.observed,
            "passed_over": hub.passed_over,
            "temperature": self.read_temperature(),
            "frame": None if moment is None else _describe_frame(moment),
        }

    def list_time_line(self) -> list[dict[str, Any]]:
        """Return the labels of the last minutes."""
        return [
            {"id": each.id, "label": each.label, "start": round(each.start, 3),
             "end": round(each.end, 3)}
            for each in self._hub.time_line.list()
        ]  # fmt: skip


def _describe_frame(moment: Moment) -> dict[str, Any]:
    seen = moment.seen
    return {
        "number": seen.frame.number,
        "time": round(moment.time, 3),
        "size": list(seen.frame.pixels.size),
        "moving": seen.is_moving,
        "faces": [face_fields(each) for each in seen.faces],
    }
