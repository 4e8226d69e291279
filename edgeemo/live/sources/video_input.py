"""An open video: its packets one after the other, and the frames that libav makes of them."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal

from edgeemo.errors import SourceError
from edgeemo.live.libav import explain, load_av
from edgeemo.live.pixels import JpegPixels
from edgeemo.live.sources.decoded import DamagedPixels, DecodedPixels, find_transpose

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL import Image

    from edgeemo.live.frame import FramePixels
    from edgeemo.live.libav import InputContainer, Packet, VideoFrame, VideoStream

MAX_PIXELS = 4096 * 2304
"""Most pixels of a frame: those of H.264's level 5.2. A decoder keeps a dozen frames or more."""

_DAMAGED = "the frame is damaged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """A frame as the video gives it.

    Attributes:
        pts: Its presentation time, in units of the stream's time base; None where it is not known.
        pixels: Its pixels.
    """

    pts: int | None
    pixels: FramePixels


class VideoInput:
    """An open video. One thread reads it; another one may close it.

    Args:
        container: The video, opened.
        name: Its name in messages.
        threads: "AUTO" where frames may be decoded ahead, "NONE" where each counts at once.
        keep_jpegs: Whether frames of MJPEG are not decoded but kept as JPEG files.
        on_packet: Receives each packet of the video before it is decoded, and the seconds that it
            had to be waited for.

    Attributes:
        stream: Its video stream.

    Raises:
        SourceError: If there is no video in it, or none that can be decoded; it is closed then.
    """

    def __init__(
        self,
        container: InputContainer,
        *,
        name: str,
        threads: Literal["AUTO", "NONE"],
        keep_jpegs: bool = False,
        on_packet: Callable[[VideoStream, Packet[Any], float], None] | None = None,
    ) -> None:
        self._container, self._name = container, name
        self._av_error = load_av("a video").error.FFmpegError
        self._lock, self._closing = Lock(), False
        self._ready: deque[Shot] = deque()
        self._end_s = self._waited_s = 0.0
        self._rotation: float | None = None
        self._transpose: Image.Transpose | None = None
        try:
            self.stream = _choose_stream(container, name)
            self._check_size(self.stream.codec_context.width, self.stream.codec_context.height)
        except BaseException:
            container.close()
            raise
        self._keeps_jpegs = keep_jpegs and self.stream.codec_context.name == "mjpeg"
        self.stream.thread_type = threads
        self._packets = container.demux()
        self._on_packet = on_packet

    def read(self, *, limit_s: float | None = None) -> Shot | None:
        """Return the next frame, damaged ones included; None after the last one, or if closed.

        Args:
            limit_s: Seconds after which packets without a frame, such as sound, are an error.

        Raises:
            SourceError: If reading fails, nothing comes in time, or a frame is too large.
        """
        begun = time.monotonic()
        with self._lock:
            while not (self._ready or self._closing):
                if limit_s is not None and time.monotonic() - begun > limit_s:
                    raise SourceError(f"{self._name}: no frame for {limit_s:.0f} s")
                asked = time.monotonic()
                try:
                    packet = next(self._packets)
                except (StopIteration, EOFError):
                    break
                except (self._av_error, OSError) as error:
                    raise SourceError(f"{self._name}: {explain(error)}") from error
                self._waited_s += time.monotonic() - asked
                self._take(packet)
            shot = self._ready.popleft() if self._ready and not self._closing else None
        if self._closing:
            self.close()
        return shot

    def close(self) -> None:
        """Close the video, at the latest when a read that waits has ended."""
        self._closing = True
        if self._lock.acquire(blocking=False):
            try:
                self._container.close()
            finally:
                self._lock.release()

    @property
    def missing_s(self) -> float:
        """Return the seconds that a file promises and does not hold, once all of it was read."""
        promised = self._container.duration
        if promised is None or self._container.format.name not in _DURATION_IS_TOLD:
            return 0.0
        return max(0.0, promised / 1e6 - self._end_s)

    def _take(self, packet: Packet[Any]) -> None:
        if packet.pts is not None and packet.time_base is not None:
            end = packet.pts + (packet.duration or 0)
            self._end_s = max(self._end_s, float(end * packet.time_base))
        if packet.stream_index != self.stream.index:
            return
        if self._keeps_jpegs:
            if packet.size:
                self._ready.append(Shot(pts=packet.pts, pixels=JpegPixels(bytes(packet))))
            return
        if self._on_packet is not None:
            self._on_packet(self.stream, packet, self._waited_s)
        self._waited_s = 0.0
        try:
            self._ready.extend(map(self._make_shot, packet.decode()))
        except self._av_error:
            context = self.stream.codec_context
            damaged = DamagedPixels(_DAMAGED, (context.width, context.height))
            self._ready.append(Shot(pts=None, pixels=damaged))

    def _make_shot(self, frame: VideoFrame) -> Shot:
        self._check_size(frame.width, frame.height)
        if frame.rotation != self._rotation:
            self._rotation, self._transpose = frame.rotation, find_transpose(frame)
        pixels: FramePixels = DecodedPixels(frame, self._transpose)
        if frame.is_corrupt:
            pixels = DamagedPixels(_DAMAGED, pixels.size)
        return Shot(pts=frame.pts, pixels=pixels)

    def _check_size(self, width: int, height: int) -> None:
        if width * height > MAX_PIXELS:
            raise SourceError(
                f"{self._name}: frames of {width}x{height} pixels are too large, 4096x2304 is the "
                "most; reduce it, as with: ffmpeg -i IN -vf scale=1920:-2 OUT"
            )


_DURATION_IS_TOLD = ("matroska,webm", "mov,mp4,m4a,3gp,3g2,mj2")
"""Formats whose duration stands in the file; of others it is an estimate."""


def _choose_stream(container: InputContainer, name: str) -> VideoStream:
    """Return the video stream; the picture of a song's cover is none."""
    streams = [each for each in container.streams.video if not _is_cover(each)]
    if not streams:
        what = "sound, but no video" if container.streams.audio else "no video"
        raise SourceError(f"{name}: holds {what}")
    best = container.streams.best("video")
    stream = best if best in streams else streams[0]
    if stream.codec_context is None:
        raise SourceError(f"{name}: its video is compressed in a way that cannot be decoded here")
    return stream


def _is_cover(stream: VideoStream) -> bool:
    return bool(stream.disposition & type(stream.disposition).attached_pic)
