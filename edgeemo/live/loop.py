"""The loop of a live run: a frame, what is seen in it, and all outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.live.controls import Controls
from edgeemo.live.events import EventMaker

if TYPE_CHECKING:
    from edgeemo.live.outputs.base import Output
    from edgeemo.live.pipeline import Pipeline
    from edgeemo.live.reader import FrameReader

WAIT_S = 0.5
"""Longest time without a frame after which the loop looks at its controls again."""


def run_loop(
    reader: FrameReader, pipeline: Pipeline, output: Output, *, controls: Controls | None = None
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
        seen = pipeline.observe(frame, passed_over=reader.passed_over - passed_over)
        observed, passed_over = observed + 1, reader.passed_over
        output.add_observation(seen)
        for event in events.update(seen):
            output.add_event(event)
    return observed
