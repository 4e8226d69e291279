"""The pace of a live run: a largest number of predictions per second, fewer on a hot processor."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeemo.utils.thermal import (
    PRESENT,
    describe_throttling,
    read_firmware_bits,
    read_temperatures,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edgeemo.live.frame import Frame
    from edgeemo.live.loop import FrameSupply
    from edgeemo.live.observation import Event

_CHECK_S = 5.0
"""Seconds between two looks at the temperature."""

_COOLER = 3.0
"""Degrees Celsius below the limit at which to predict more frames again."""

_SLOWEST_S = 2.0
"""Longest time between two predictions on a hot processor, in seconds."""

_PROCESSOR = ("cpu", "pkg", "core", "soc")
"""Parts of the names of thermal zones in a processor."""


class Cooling:
    """Slows a run down while the processor is hot: to half the rate at each look, and back.

    Args:
        max_temp: Temperature in °C from which to slow down; None for never.
        report: Receives a line when it begins and when it ends, and about the board's supply.
    """

    def __init__(self, max_temp: float | None, *, report: Callable[[str], None]) -> None:
        self._max_temp, self._report = max_temp, report
        self._next_look = 0.0
        self._natural_s = 0.0
        self._told: set[str] = set()
        self.interval_s = 0.0
        if max_temp is not None and not read_temperatures():
            report("warning: --max-temp: this machine does not tell its temperature")

    def update(self, now: float, *, interval_s: float) -> None:
        """Look at the temperature, if it is time; set `interval_s`.

        Args:
            now: Present time, in seconds.
            interval_s: Time between the last two predictions, in seconds.
        """
        if now < self._next_look:
            return
        self._next_look = now + _CHECK_S
        self._look_at_board()
        celsius = processor_temperature(read_temperatures())
        if self._max_temp is None or celsius is None:
            return
        if celsius >= self._max_temp:
            self._slow_down(celsius, max(interval_s, 0.01))
        elif self.interval_s and celsius <= self._max_temp - _COOLER:
            self._speed_up(celsius)

    def _slow_down(self, celsius: float, interval_s: float) -> None:
        began = not self.interval_s
        if began:
            self._natural_s = interval_s
        self.interval_s = min(2 * (self.interval_s or interval_s), max(_SLOWEST_S, interval_s))
        if began:
            self._report(
                f"warning: the processor has {celsius:.0f} °C: predicting fewer frames until it "
                "is cooler"
            )

    def _speed_up(self, celsius: float) -> None:
        self.interval_s /= 2
        if self.interval_s <= self._natural_s:
            self.interval_s = 0.0
            self._report(f"the processor has {celsius:.0f} °C: predicting at the full rate again")

    def _look_at_board(self) -> None:
        bits = (read_firmware_bits() or 0) & PRESENT
        for reason in describe_throttling(bits):
            if reason not in self._told:
                self._told.add(reason)
                self._report(f"warning: the board reports: {reason}")


def processor_temperature(zones: Mapping[str, float]) -> float | None:
    """Return the temperature of the processor, in °C: its hottest zone; None if unknown.

    Args:
        zones: Temperature of each thermal zone, as `read_temperatures` returns them.
    """
    own = [value for name, value in zones.items() if any(part in name for part in _PROCESSOR)]
    return max(own or zones.values(), default=None)


@dataclass(frozen=True, kw_only=True)
class PaceSettings:
    """Settings of the pace.

    Attributes:
        max_fps: Most frames per second; None for no limit.
        max_temp: See `Cooling`.
        seconds: Seconds after which the run ends, of a file in its own time; None for never.
        is_live: Whether frames come in their own time. Of a file that is not, frames are skipped
            for `max_fps`, by their times.
    """

    max_fps: float | None = None
    max_temp: float | None = None
    seconds: float | None = None
    is_live: bool = True


class PacedReader:
    """A reader that hands out the newest frame when the next prediction is due.

    Args:
        reader: The reader.
        settings: See `PaceSettings`.
        report: Receives lines about a hot processor.
        on_round: Called each time that the loop comes for a frame, as a sign that it is alive.
    """

    def __init__(
        self,
        reader: FrameSupply,
        settings: PaceSettings,
        *,
        report: Callable[[str], None],
        on_round: Callable[[], None] = lambda: None,
    ) -> None:
        self._reader, self._settings, self._on_round = reader, settings, on_round
        self._cooling = Cooling(settings.max_temp, report=report)
        self._interval_s = 1 / settings.max_fps if settings.max_fps else 0.0
        self._started = self._last = time.monotonic()
        self._due = self._due_in_file = float("-inf")
        self._skipped = 0
        self._is_over = False
        self._has_own_time = not settings.is_live

    @property
    def passed_over(self) -> int:
        """Return the number of frames that nobody predicted, so far."""
        return self._reader.passed_over + self._skipped

    @property
    def has_ended(self) -> bool:
        """Return whether the last frame was taken, or the time is up."""
        return self._is_over or self._reader.has_ended

    def take_events(self) -> list[Event]:
        """Return the events of the source since the last call."""
        return self._reader.take_events()

    def take(self, wait_s: float) -> Frame | None:
        """Return the next frame to predict; None where none is due or there within `wait_s`.

        Args:
            wait_s: Seconds to wait at most.
        """
        self._on_round()
        began = time.monotonic()
        wait_s = min(wait_s, self._find_time_left(began))
        if self._is_over:
            return None
        if self._due > began:
            time.sleep(min(wait_s, self._due - began))
            if time.monotonic() < self._due:
                return None
        left = max(0.0, wait_s - (time.monotonic() - began))
        frame = self._reader.take(left) if self._settings.is_live else self._take_from_file(left)
        if frame is not None:
            self._plan()
        return frame

    def _take_from_file(self, wait_s: float) -> Frame | None:
        """Return the next frame of a file whose time has come; images of folders have no times."""
        while (frame := self._reader.take(wait_s)) is not None:
            self._has_own_time = not frame.name
            if not self._has_own_time:
                return frame
            if self._settings.seconds is not None and frame.time_s >= self._settings.seconds:
                self._is_over = True
                return None
            if frame.time_s >= self._due_in_file - 1e-6:
                self._due_in_file = _add_interval(
                    self._due_in_file, self._interval_s, now=frame.time_s
                )
                return frame
            self._skipped += 1
        return None

    def _find_time_left(self, now: float) -> float:
        """Return the seconds that are left to the run, and note when there are none."""
        if self._settings.seconds is None or self._has_own_time:
            return float("inf")
        left = self._started + self._settings.seconds - now
        self._is_over = left <= 0
        return max(0.0, left)

    def _plan(self) -> None:
        """Set the time of the next prediction."""
        now = time.monotonic()
        self._cooling.update(now, interval_s=now - self._last)
        self._last = now
        own = self._interval_s if self._settings.is_live else 0.0
        interval_s = max(own, self._cooling.interval_s)
        self._due = _add_interval(self._due, interval_s, now=now)


def _add_interval(due: float, interval_s: float, *, now: float) -> float:
    """Return when the next frame is due: evenly, and what is late is not made up for."""
    return due + interval_s if due + interval_s > now else now + interval_s
