"""Ctrl-C and SIGTERM, which end a live run in order: the frame in hand is finished first."""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found] # signal imports enum first: 5 ms
import os
import threading
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import FrameType

    from edgeemo.live.controls import Controls

_SIGNALS = (signal.SIGINT, signal.SIGTERM)

PATIENCE_S = 1.0
"""Seconds that the frame in hand may take."""


class StopSignals:
    """Block in which a signal asks a run to stop; one that does not in time is interrupted.

    Outside the main thread, which alone receives signals, it does nothing.

    Args:
        controls: Its `stop` is set.

    Attributes:
        number: Number of the signal that came, or None.
    """

    def __init__(self, controls: Controls) -> None:
        self._controls = controls
        self._before: dict[int, object] = {}
        self._timer: threading.Timer | None = None
        self._end = 0.0
        self.number: int | None = None

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    self._before[number] = signal.signal(number, self._request)
        return self

    def __exit__(self, *_: object) -> None:
        self._cancel()
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def allow_time(self, seconds: float) -> None:
        """Give what follows a signal its own time before it is interrupted."""
        if self.number is not None:
            self._cancel()
            self._begin(self.number, seconds)

    def _request(self, number: int, frame: FrameType | None) -> None:
        if self.number is None:
            self.number = number
            self._controls.stop = True
            self._begin(number, PATIENCE_S)
        elif time.monotonic() >= self._end:  # a bundle's child gets Ctrl-C twice at once
            self._cancel()
            raise KeyboardInterrupt

    def _begin(self, number: int, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._timer = threading.Timer(seconds, os.kill, (os.getpid(), number))
        self._timer.daemon = True
        self._timer.start()

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
