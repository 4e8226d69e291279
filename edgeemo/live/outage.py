"""An outage of a source: said once, with a pause between attempts to open the source again."""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING

from edgeemo.live.observation import Event

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST_PAUSE_S = 0.5
"""Seconds before the first attempt; every further pause is twice as long."""

MAX_PAUSE_S = 2.0
"""Longest pause, in seconds, of an outage of up to `SHORT_S`: a person may be waiting for it."""

MAX_LATE_PAUSE_S = 10.0
"""Longest pause, in seconds, later."""

SHORT_S = 60.0
"""Seconds after which an outage is no longer a short one."""


class Outages:
    """The outages of a source, one after the other.

    Args:
        name: The source's name in messages.
        on_event: Receives the events "lost" and "back".
        report: Receives a line for the user.
    """

    def __init__(
        self, name: str, *, on_event: Callable[[Event], object], report: Callable[[str], object]
    ) -> None:
        self._name, self._on_event, self._report = name, on_event, report
        self._lock = Lock()
        self._began: float | None = None
        self._pause = FIRST_PAUSE_S

    @property
    def is_lost(self) -> bool:
        """Return whether the source is lost now."""
        return self._began is not None

    def begin(self, reason: str) -> None:
        """Note that the source is lost; of one that is lost already, do nothing.

        Args:
            reason: One line, which may begin with the source's name.
        """
        with self._lock:
            if self._began is not None:
                return
            self._began, self._pause = time.monotonic(), FIRST_PAUSE_S
        reason = reason.removeprefix(f"{self._name}: ")
        self._on_event(Event(kind="lost", time_s=self._began, text=reason))
        self._report(f"{self._name}: lost: {reason}; it is opened again until it is back")

    def end(self) -> None:
        """Note that the source gives frames; of one that is not lost, do nothing."""
        with self._lock:
            if self._began is None:
                return
            now, began, self._began = time.monotonic(), self._began, None
        self._on_event(Event(kind="back", time_s=now, duration_s=now - began))
        self._report(f"{self._name}: back after {now - began:.1f} s")

    def next_pause(self) -> float:
        """Return the seconds to wait before the next attempt."""
        lost_s = time.monotonic() - (self._began or 0.0)
        pause = min(self._pause, MAX_PAUSE_S if lost_s < SHORT_S else MAX_LATE_PAUSE_S)
        self._pause = 2 * pause
        return pause
