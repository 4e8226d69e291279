"""Text for a person: a line per event, and on a terminal a line that tells how it runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from edgeemo.runtime.prediction import NO_FACE
from edgeemo.utils.layout import get_width
from edgeemo.utils.text import escape_controls

if TYPE_CHECKING:
    from typing import TextIO

    from edgeemo.live.observation import Event, Observation, TrackedFace
    from edgeemo.live.outputs.clock import Clock
    from edgeemo.live.outputs.lines import LineWriter
    from edgeemo.runtime.prediction import Prediction

_EVERY_S = 0.5
_CLEAR = "\r\x1b[K"


class EventText:
    """One line per event.

    Args:
        lines: Writes the lines.
        clock: The meaning of times.
        status: The line that tells how it runs, which gives way; None for none.
    """

    name = "standard output"

    def __init__(self, lines: LineWriter, clock: Clock, status: StatusLine | None = None) -> None:
        self._lines, self._clock, self._status = lines, clock, status

    def add_observation(self, seen: Observation) -> None:
        """See `edgeemo.live.outputs.base.Output.add_observation`."""
        if self._status:
            self._status.update(seen)

    def add_event(self, event: Event) -> None:
        """See `edgeemo.live.outputs.base.Output.add_event`."""
        if self._status:
            self._status.clear()
        when = self._clock.to_text(event.time_s)
        self._lines.write(f"{when}  {escape_controls(describe_event(event))}")

    def close(self) -> None:
        """See `edgeemo.live.outputs.base.Output.close`."""
        if self._status:
            self._status.clear()
        self._lines.close()


class StatusLine:
    """A line that is written over twice a second: rate, age, frames passed over, and faces.

    Args:
        stream: A terminal.
        clock: The meaning of times.
    """

    def __init__(self, stream: TextIO, clock: Clock) -> None:
        self._stream, self._clock = stream, clock
        self._since = time.monotonic()
        self._frames = self._passed_over = self._damaged = 0
        self._age_s, self._is_shown = 0.0, False

    def update(self, seen: Observation) -> None:
        """Count an observation, and rewrite the line where it is due."""
        now = time.monotonic()
        self._frames += 1
        self._passed_over += seen.passed_over
        self._damaged += seen.error is not None
        self._age_s = max(self._age_s, now - seen.frame.time_s)
        if now - self._since >= _EVERY_S:
            self._show(self._describe(seen, now - self._since))
            self._since, self._frames, self._age_s = now, 0, 0.0

    def clear(self) -> None:
        """Remove the line, so that another can be written in its place."""
        if self._is_shown:
            self._stream.write(_CLEAR)
            self._stream.flush()
            self._is_shown = False

    def _describe(self, seen: Observation, span_s: float) -> str:
        parts = [f"{self._frames / span_s:.0f} frames/s"]
        if self._clock.is_live:
            parts += [f"age {self._age_s * 1000:.0f} ms", f"{self._passed_over:,} passed over"]
        else:
            parts.insert(0, self._clock.to_text(seen.frame.time_s))
        if self._damaged:
            parts.append(f"{self._damaged:,} damaged")
        faces = "; ".join(map(describe_face, seen.faces)) or NO_FACE
        return f"{', '.join(parts)} | {faces}"

    def _show(self, text: str) -> None:
        width = get_width(self._stream) or 80
        self._stream.write(f"{_CLEAR}{escape_controls(text)[: width - 1]}")
        self._stream.flush()
        self._is_shown = True


def describe_event(event: Event) -> str:
    """Return an event as a person reads it, without its time."""
    seconds = f"{event.duration_s:.1f} s"
    if event.face is None:
        return {
            "lost": f"source lost: {event.text}",
            "back": f"source back after {seconds}",
        }.get(event.kind, event.kind)
    if event.kind == "left":
        return f"{_name(event.face)} left after {seconds}, {event.face.steady.label} at last"
    shown = describe_face(event.face)
    if event.kind == "changed":
        return f"{shown}, {event.previous} for {seconds} before"
    return f"{shown}, appeared"


def describe_face(face: TrackedFace) -> str:
    """Return a face with its steady and its raw prediction: "face 1: happy 0.82 (raw sad 0.55)"."""
    raw = f" (raw {_describe(face.raw)})" if face.raw else ""
    return f"{_name(face)}: {_describe(face.steady)}{raw}"


def _describe(found: Prediction) -> str:
    shown = f"{found.guess} {found.score:.2f}"
    return shown if found.is_sure else f"{found.label} ({shown})"


def _name(face: TrackedFace) -> str:
    return f"face {face.id}" if face.face else "image"
