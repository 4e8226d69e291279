"""Milliseconds of the stages of a frame."""

from __future__ import annotations

import time


class Laps:
    """A clock that runs from stage to stage.

    Attributes:
        ms: Milliseconds per stage that has ended.
    """

    def __init__(self) -> None:
        self.ms: dict[str, float] = {}
        self._at = time.perf_counter()

    def end(self, stage: str) -> None:
        """Count the time since the last stage ended as this stage's; a stage may end twice."""
        now = time.perf_counter()
        self.ms[stage] = self.ms.get(stage, 0.0) + (now - self._at) * 1000
        self._at = now
