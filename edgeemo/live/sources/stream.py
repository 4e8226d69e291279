"""A video stream from an address: RTSP, over TCP if possible, and what else libav opens."""

from __future__ import annotations

import errno
import time
from typing import TYPE_CHECKING, Any

from edgeemo.errors import ImageError, SourceError
from edgeemo.live.frame import Frame
from edgeemo.live.libav import open_av
from edgeemo.live.sources.base import FIRST_FRAME_S, NO_FRAME_S
from edgeemo.live.sources.decoded import DamagedPixels
from edgeemo.live.sources.video_input import VideoInput
from edgeemo.utils.urls import hide_password

if TYPE_CHECKING:
    from edgeemo.live.libav import Packet, VideoStream

_NO_DELAY = {"fflags": "nobuffer", "flags": "low_delay"}
_RTSP = {
    **_NO_DELAY,
    "rtsp_flags": "prefer_tcp",
    "probesize": "32",
    "analyzeduration": "0",
    "reorder_queue_size": "0",
    "timeout": f"{NO_FRAME_S * 1e6:.0f}",
}
"""Options that open a stream in 0.05 s instead of 1.9, and let no frame wait for others."""

_OTHERS = {**_NO_DELAY, "probesize": "500000", "analyzeduration": "500000"}
"""Options where the stream tells nothing of itself in advance."""

_RECORDINGS = ("matroska,webm", "mov,mp4,m4a,3gp,3g2,mj2", "avi")


class StreamAddress:
    """A video stream as a source.

    Args:
        address: Such as "rtsp://user:password@camera.local/stream".
    """

    is_live, is_device, can_reopen = True, False, True

    def __init__(self, address: str) -> None:
        self._address, self.name = address, hide_password(address)

    def open(self) -> LiveStream:
        """See `edgeemo.live.sources.base.Source.open`."""
        scheme = self._address.partition("://")[0].lower()
        begun = time.monotonic()
        try:
            container = open_av(
                self._address,
                name=self.name,
                purpose="a video stream",
                options=_RTSP if scheme in ("rtsp", "rtsps") else _OTHERS,
                timeout_s=NO_FRAME_S,
            )
        except SourceError as error:
            if time.monotonic() - begun >= NO_FRAME_S:
                raise SourceError(f"{self.name}: no answer within {NO_FRAME_S:.0f} s") from error
            if getattr(error.__cause__, "errno", None) == errno.EIO:
                raise SourceError(f"{self.name}: cannot be reached; is its name right?") from error
            raise
        if container.format.name in _RECORDINGS and container.duration:
            container.close()
            raise SourceError(f"{self.name}: is a recording, not a camera; download it first")
        return LiveStream(container, name=self.name)


class LiveStream:
    """An open video stream, of which the frames come in their own time.

    Every frame of H.264 and the like is decoded, for the next one needs it; MJPEG is handed on as
    JPEG files, of which only those that somebody takes are decoded.

    Args:
        container: The stream, opened.
        name: Its name in messages.

    Raises:
        SourceError: If there is no video in it.
    """

    def __init__(self, container: Any, *, name: str) -> None:
        self._name = name
        self._input = VideoInput(
            container, name=name, threads="NONE", keep_jpegs=True, on_packet=CatchUp().update
        )
        self._number = 0

    def read(self) -> Frame | None:
        """See `edgeemo.live.sources.base.FrameStream.read`."""
        shot = self._input.read(limit_s=NO_FRAME_S if self._number else FIRST_FRAME_S)
        if shot is None:
            return None
        number, self._number = self._number, self._number + 1
        if isinstance(shot.pixels, DamagedPixels):
            raise ImageError(f"{self._name}: a frame is damaged")
        return Frame(number=number, time_s=time.monotonic(), pixels=shot.pixels)

    def close(self) -> None:
        """See `edgeemo.live.sources.base.FrameStream.close`."""
        self._input.close()


LATE_S, IN_TIME_S = 0.5, 0.15
"""Delay behind the source, in seconds, from which frames are not decoded, and until which."""

_WAIT_S = 0.005
"""Seconds of waiting for a packet from which it is sure that no other one is in a queue."""


class CatchUp:
    """Keeps the delay small where decoding is slower than the source: only key frames are decoded.

    The delay is how much more time has passed here than in the stream's time stamps since the last
    packet that had to be waited for: then nothing was in a queue. So clocks may differ, and cameras
    may send fewer frames than their time stamps promise.
    """

    def __init__(self) -> None:
        self._in_time: float | None = None
        self._is_late = False

    def update(self, stream: VideoStream, packet: Packet[Any], waited_s: float) -> None:
        """Look at a packet before it is decoded.

        Args:
            stream: Its stream, whose decoder is told to skip frames or not.
            packet: The packet.
            waited_s: Seconds that it had to be waited for.
        """
        stamp = packet.dts if packet.dts is not None else packet.pts
        if stamp is None or packet.time_base is None:
            return
        behind = time.monotonic() - float(stamp * packet.time_base)
        if self._in_time is None or waited_s > _WAIT_S or behind < self._in_time:
            self._in_time = behind
        is_late = behind - self._in_time > (IN_TIME_S if self._is_late else LATE_S)
        if self._is_late and not packet.is_keyframe:
            return  # the frames before it, which the next ones need, were not decoded
        if is_late != self._is_late:
            stream.codec_context.skip_frame = "NONKEY" if is_late else "DEFAULT"
            self._is_late = is_late
