"""Times of frames as outputs state them. Standard library only."""

from __future__ import annotations

import time


class Clock:
    """What the times of frames mean: moments of a live source, or positions in a file.

    Args:
        is_live: Whether the source is live.
    """

    def __init__(self, *, is_live: bool) -> None:
        self.is_live = is_live

    def to_seconds(self, time_s: float) -> float:
        """Return seconds since 1970 of a live source, else from the beginning of the file.

        A Raspberry Pi without a battery sets its clock some time after it has started: each moment
        is told by the clock as it is now.

        Args:
            time_s: `Frame.time_s`.
        """
        return round(time_s + time.time() - time.monotonic() if self.is_live else time_s, 3)

    def to_text(self, time_s: float) -> str:
        """Return the local time of day, "15:04:05", or the position in the file, "0:04:05.2".

        Args:
            time_s: `Frame.time_s`.
        """
        if self.is_live:
            return time.strftime("%H:%M:%S", time.localtime(self.to_seconds(time_s)))
        return format_position(time_s)

    def to_date(self, time_s: float) -> str:
        """Return the local date and time, "2026-11-27 15:04:05"; "" of a file.

        Args:
            time_s: `Frame.time_s`.
        """
        if not self.is_live:
            return ""
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.to_seconds(time_s)))

    def to_name(self, time_s: float) -> str:
        """Return the time as a part of a file's name, which sorts by time.

        Args:
            time_s: `Frame.time_s`.
        """
        if not self.is_live:
            return format_position(time_s, hours=2).replace(":", "-")
        seconds = self.to_seconds(time_s)
        day = time.strftime("%Y-%m-%d_%H-%M-%S", time.localtime(seconds))
        return f"{day}.{int(seconds % 1 * 1000):03}"


def format_short(seconds: float) -> str:
    """Return a position as briefly as it can be: "4:05", "1:04:05"."""
    return format_position(seconds).removeprefix("0:").rpartition(".")[0].lstrip("0").rjust(4, "0")


def format_position(seconds: float, *, hours: int = 1) -> str:
    """Return a position in a video, "0:04:05.2".

    Args:
        seconds: Seconds from the beginning.
        hours: Number of digits of the hours, at least.
    """
    tenths = max(0, round(seconds * 10))
    minutes, tenths = divmod(tenths, 600)
    return f"{minutes // 60:0{hours}}:{minutes % 60:02}:{tenths // 10:02}.{tenths % 10}"
