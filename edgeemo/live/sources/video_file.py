"""A video file: every frame, each at its own time."""

from __future__ import annotations

import time
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.errors import SourceError
from edgeemo.live.frame import Frame
from edgeemo.live.libav import open_av
from edgeemo.live.sources.video_input import VideoInput

if TYPE_CHECKING:
    from edgeemo.live.sources.settings import SourceSettings

_FILES_ALONE = {"protocol_whitelist": "file"}
"""A file that is a list of others must not have this machine fetch them from anywhere."""

_NO_VIDEOS = ("tty", "concat", "hls", "dash")
"""What libav takes for a video as well: any text, as of a terminal, and lists of files."""

_MISSING_S = 1.0
"""Seconds missing at the end from which a file counts as incomplete."""
_JUMP_S = 1.0
"""Seconds back from which a time stamp is a jump, not a disorder."""


class VideoFile:
    """A video file as a source.

    Args:
        path: Its path.
        settings: Whether it is played as if it were live.
    """

    is_device = can_reopen = False

    def __init__(self, path: str, settings: SourceSettings) -> None:
        self.name, self.is_live = path, settings.real_time

    def open(self) -> FileStream:
        """See `edgeemo.live.sources.base.Source.open`."""
        return FileStream(self.name, real_time=self.is_live)


class FileStream:
    """An open video file.

    Args:
        path: Its path.
        real_time: Whether a frame is given when it is due, with that moment as its time.

    Raises:
        SourceError: If it cannot be opened.
        MissingExtraError: If PyAV is not installed.
    """

    def __init__(self, path: str, *, real_time: bool = False) -> None:
        self._path, self._real_time = path, real_time
        if Path(path).is_file() and not Path(path).stat().st_size:
            raise SourceError(f"{path}: is empty")
        # "file:" keeps a name with a colon from being taken for an address.
        container = open_av(f"file:{path}", name=path, purpose="a video file", options=_FILES_ALONE)
        if container.format.name in _NO_VIDEOS:
            container.close()
            raise SourceError(f"{path}: not a video")
        self._input = VideoInput(container, name=path, threads="AUTO")
        stream = self._input.stream
        time_base = stream.time_base or Fraction(1, 1000)
        self._clock = FileClock(time_base, rate=stream.average_rate)
        self._started = time.monotonic()
        self._number = 0

    def read(self) -> Frame | None:
        """See `edgeemo.live.sources.base.FrameStream.read`.

        Raises:
            SourceError: If there is no frame at all, or the end of the file is missing.
        """
        shot = self._input.read()
        if shot is None:
            self._check_end()
            return None
        number, self._number = self._number, self._number + 1
        time_s = self._clock.tell(shot.pts)
        if self._real_time:
            time_s += self._started
            time.sleep(max(0.0, time_s - time.monotonic()))
        return Frame(number=number, time_s=time_s, pixels=shot.pixels)

    def close(self) -> None:
        """See `edgeemo.live.sources.base.FrameStream.close`."""
        self._input.close()

    def _check_end(self) -> None:
        if not self._number:
            raise SourceError(f"{self._path}: holds no frame")
        if (missing := self._input.missing_s) > _MISSING_S:
            raise SourceError(
                f"{self._path}: the last {missing:.1f} s are missing; the file is incomplete"
            )


class FileClock:
    """Seconds since the first frame, which never go back.

    Args:
        time_base: Seconds per unit of the stream's time stamps.
        rate: Frames per second, where the file tells; for frames without a time stamp.
    """

    def __init__(self, time_base: Fraction, *, rate: Fraction | None = None) -> None:
        self._time_base = time_base
        self._step = round(1 / (rate * time_base)) if rate else 0
        self._last: int | None = None
        self._elapsed = 0

    def tell(self, pts: int | None) -> float:
        """Return the time of the next frame.

        Args:
            pts: Its time stamp. Where it jumps back, as in joined recordings, time goes on from
                the frame before.
        """
        if pts is None:
            pts = 0 if self._last is None else self._last + self._step
        if self._last is not None and pts > self._last:
            self._step = pts - self._last
            self._elapsed += self._step
        elif self._last is not None:
            if (self._last - pts) * self._time_base < _JUMP_S:
                pts = self._last
            else:
                self._elapsed += self._step
        self._last = pts
        return float(self._elapsed * self._time_base)
