"""An output that counts frames, for the exit status."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeemo.live.observation import Event, Observation


class Tally:
    """Counts frames.

    Attributes:
        predicted: Number of frames that were predicted.
        failed: Number of frames that were damaged.
    """

    name = "tally"

    def __init__(self) -> None:
        self.predicted = self.failed = 0

    def add_observation(self, seen: Observation) -> None:
        """See `edgeemo.live.outputs.base.Output.add_observation`."""
        self.predicted += seen.error is None
        self.failed += seen.error is not None

    def add_event(self, event: Event) -> None:
        """Ignore it."""

    def close(self) -> None:
        """Do nothing."""
