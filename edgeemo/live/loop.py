"""The loop of a live run: a frame, what is seen in it, and all outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from edgeemo.live.controls import Controls
from edgeemo.live.events import EventMaker

if TYPE_CHECKING:
    from edgeemo.live.frame import Frame
    from edgeemo.live.observation import Event
    from edgeemo.live.outputs.base import Output
    from edgeemo.live.pipeline import Pipeline

WAIT_S = 0.5
"""Longest time without a frame after which the loop looks at its controls again."""


class FrameSupply(Protocol):
    """What hands out frames: `edgeemo.live.reader.FrameReader`, or one that keeps a pace."""

    @property
    def passed_over(self) -> int:
        """Return the number of frames that nobody took, so far."""

    @property
    def has_ended(self) -> bool:
        """Return whether the last frame was taken."""

    def take(self, wait_s: float) -> Frame | None:
        """See `edgeemo.live.reader.FrameReader.take`."""

    def take_events(self) -> list[Event]:
        """See `edgeemo.live.reader.FrameReader.take_events`."""


def run_loop(
    reader: FrameSupply, pipeline: Pipeline, output: Output, *, controls: Controls | None = None
) -> int:
    """Observe the frames of a source until it ends, or is asked to stop.

    Args:
        reader: Gives the frames.
        pipeline: Turns them into observations.
        output: Receives observations and events; it is not closed.
        controls: Requests of other threads.

    Returns:
        The number of frames observed.

    Raises:
        SourceError: If the source is lost for good.
    """
    controls = controls or Controls()
    events, observed, passed_over = EventMaker(), 0, 0
    while not (controls.stop or reader.has_ended):
        frame = reader.take(WAIT_S)
        for event in reader.take_events():
            output.add_event(event)
        if frame is None or controls.paused:
            continue
        pipeline.apply(controls)
        seen = pipeline.observe(frame, passed_over=reader.passed_over - passed_over)
        observed, passed_over = observed + 1, reader.passed_over
        output.add_observation(seen)
        for event in events.update(seen):
            output.add_event(event)
    return observed
