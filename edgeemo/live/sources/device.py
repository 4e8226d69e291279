"""A camera of this machine, ``/dev/videoN``, by V4L2 through libav."""

from __future__ import annotations

import os
import time
from threading import Event, Thread
from typing import TYPE_CHECKING, Self

from edgeemo.errors import EdgeEmoError, ImageError, SourceError
from edgeemo.live.frame import Frame
from edgeemo.live.libav import open_av
from edgeemo.live.sources.base import FIRST_FRAME_S, NO_FRAME_S
from edgeemo.live.sources.camera_trouble import explain_opening, require_camera
from edgeemo.live.sources.decoded import DamagedPixels
from edgeemo.live.sources.video_input import VideoInput
from edgeemo.utils.v4l2 import MJPG, query_device, stop_streaming

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.live.libav import InputContainer
    from edgeemo.live.sources.settings import SourceSettings
    from edgeemo.utils.v4l2 import FrameSize

_FORMATS = {
    MJPG: "mjpeg",
    "YUYV": "yuyv422",
    "UYVY": "uyvy422",
    "NV12": "nv12",
    "YU12": "yuv420p",
    "GREY": "gray",
    "RGB3": "rgb24",
    "BGR3": "bgr24",
}
"""libav's names of formats, the preferred first: of MJPEG every frame may be passed over."""

_SLOW = 0.8
"""Share of the requested frames per second below which a format is too slow; 25 of 30 are not."""

_CLOCK_S = 5.0
"""Seconds between a frame's time stamp and now beyond which it is of another clock."""


class CameraDevice:
    """A camera of this machine as a source.

    Args:
        text: Its path, such as "/dev/video0", or its number.
        settings: The size and the frame rate that it is asked for.
    """

    is_live, is_device, can_reopen = True, True, True

    def __init__(self, text: str, settings: SourceSettings) -> None:
        self.name = f"/dev/video{int(text)}" if text.isdecimal() else text
        self._settings = settings
        self._is_known = False

    def open(self) -> DeviceStream:
        """See `edgeemo.live.sources.base.Source.open`."""
        path = os.path.realpath(self.name)
        require_camera(self.name, path)
        try:
            device = query_device(path)
        except OSError as error:
            raise SourceError(f"{self.name}: {explain_opening(error, path)}") from error
        chosen = choose_size(device.sizes, self._settings)
        stream = DeviceStream(self.name, path, _make_options(chosen, self._settings))
        if self._settings.note and not self._is_known:
            taken = describe_choice(chosen, device.sizes, self._settings) if chosen else ""
            self._settings.note(f"camera: {self.name}, {device.card}" + f", {taken}" * bool(taken))
        self._is_known = True
        return stream


def _make_options(chosen: FrameSize | None, settings: SourceSettings) -> dict[str, str]:
    """Return libav's options for a size; none where the driver lists none."""
    if chosen is None:
        return {}
    return {
        "input_format": _FORMATS[chosen.format],
        "video_size": f"{chosen.width}x{chosen.height}",
        "framerate": f"{settings.fps:g}",
    }


def choose_size(sizes: Sequence[FrameSize], settings: SourceSettings) -> FrameSize | None:
    """Return the size and format to ask a camera for; None where it lists none that can be read.

    The nearest to the requested size; of it the format that gives the requested frames per second,
    MJPEG before all others.
    """
    width, height = settings.size
    known = [each for each in sizes if each.format in _FORMATS]

    def rank(size: FrameSize) -> tuple[int, bool, int]:
        distance = abs(size.width - width) + abs(size.height - height)
        return distance, _is_slow(size, settings), list(_FORMATS).index(size.format)

    return min(known, key=rank, default=None)


def describe_choice(chosen: FrameSize, sizes: Sequence[FrameSize], settings: SourceSettings) -> str:
    """Return what is taken, and the raw format that would be slower or the size that is faster."""
    same = [each for each in sizes if (each.width, each.height) == (chosen.width, chosen.height)]
    slower = [each for each in same if each.format != chosen.format and _is_slow(each, settings)]
    if _is_slow(chosen, settings):
        return f"{chosen.text}; a smaller --size may give more frames per second"
    if slower:
        return f"{chosen.text}; {slower[0].format} would give {slower[0].fps:.3g}/s"
    return chosen.text


def _is_slow(size: FrameSize, settings: SourceSettings) -> bool:
    return 0 < size.fps < _SLOW * settings.fps


class DeviceStream:
    """An open camera.

    Args:
        name: Its name in messages.
        path: Its path.
        options: Format, size and rate, as libav takes them.

    Raises:
        SourceError: If it cannot be opened.
        MissingExtraError: If PyAV is not installed.
    """

    def __init__(self, name: str, path: str, options: dict[str, str]) -> None:
        self._name, self._number = name, 0
        self._watchdog = _Watchdog(path)
        try:
            with self._watchdog.limit(FIRST_FRAME_S):
                container = _open(name, path, options)
                self._input = VideoInput(container, name=name, threads="NONE", keep_jpegs=True)
        except EdgeEmoError as error:
            self._watchdog.end()
            raise self._explain(error, FIRST_FRAME_S) from error

    def read(self) -> Frame | None:
        """See `edgeemo.live.sources.base.FrameStream.read`."""
        limit_s = NO_FRAME_S if self._number else FIRST_FRAME_S
        try:
            with self._watchdog.limit(limit_s):
                shot = self._input.read(limit_s=limit_s)
        except SourceError as error:
            if self._watchdog.is_ended:
                return None
            raise self._explain(error, limit_s) from error
        if shot is None:
            return None
        number, self._number = self._number, self._number + 1
        if isinstance(shot.pixels, DamagedPixels):
            raise ImageError(f"{self._name}: a frame is damaged")
        return Frame(number=number, time_s=self._tell_time(shot.pts), pixels=shot.pixels)

    def close(self) -> None:
        """See `edgeemo.live.sources.base.FrameStream.close`."""
        self._watchdog.end()
        self._input.close()

    def _tell_time(self, pts: int | None) -> float:
        """Return the moment of capture: the kernel stamps frames on the clock that never jumps."""
        now, base = time.monotonic(), self._input.stream.time_base
        if pts is None or base is None:
            return now
        stamp = float(pts * base)
        return min(stamp, now) if abs(now - stamp) < _CLOCK_S else now

    def _explain(self, error: EdgeEmoError, limit_s: float) -> EdgeEmoError:
        if not self._watchdog.has_barked:
            return error
        opened = "" if self._number else "opened, but "
        return SourceError(f"{self._name}: {opened}no frame for {limit_s:.0f} s")


def _open(name: str, path: str, options: dict[str, str]) -> InputContainer:
    try:
        return open_av(path, name=name, purpose="a camera", format="v4l2", options=options)
    except SourceError as error:
        cause = error.__cause__
        if isinstance(cause, OSError):
            raise SourceError(f"{name}: {explain_opening(cause, path)}") from cause
        raise


class _Watchdog:
    """Ends a read that takes too long: libav waits for a device without any limit.

    Attributes:
        has_barked: Whether it ended one.
        is_ended: Whether no read is to come any more.
    """

    _LOOK_S = 0.25

    def __init__(self, path: str) -> None:
        self._path, self._end = path, Event()
        self._deadline: float | None = None
        self.has_barked = False
        Thread(target=self._watch, name="camera watchdog", daemon=True).start()

    @property
    def is_ended(self) -> bool:
        """Return whether `end` was called."""
        return self._end.is_set()

    def limit(self, limit_s: float) -> Self:
        """Return a block in which a read may take so many seconds."""
        self._deadline = time.monotonic() + limit_s
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._deadline = None

    def end(self) -> None:
        """End the read that is under way, if one is, and the watch."""
        self._end.set()

    def _watch(self) -> None:
        while not self._end.wait(self._LOOK_S):
            deadline = self._deadline
            if deadline is not None and time.monotonic() > deadline:
                self.has_barked = True
                stop_streaming(self._path)
        if self._deadline is not None:
            stop_streaming(self._path)
