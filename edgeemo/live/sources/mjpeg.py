"""MJPEG over HTTP, as most cameras of a network give it. Standard library only.

The JPEG files are handed on as they come; only those that somebody takes are decoded.
"""

from __future__ import annotations

import time
from collections import deque
from threading import Event as Flag
from typing import TYPE_CHECKING

from edgeemo.errors import SourceError
from edgeemo.live.frame import Frame
from edgeemo.live.pixels import JpegPixels
from edgeemo.live.sources import base
from edgeemo.live.sources.http_request import request
from edgeemo.live.sources.image_splitter import ImageSplitter
from edgeemo.utils.urls import hide_password

if TYPE_CHECKING:
    from edgeemo.live.sources.http_request import HttpReply


class OtherContentError(SourceError):
    """An address that gives something else than MJPEG."""


class MjpegAddress:
    """An address of MJPEG as a source.

    Args:
        address: Such as "http://user:password@camera.local/video".
    """

    is_live, is_device, can_reopen = True, False, True

    def __init__(self, address: str) -> None:
        self._address, self.name = address, hide_password(address)

    def open(self) -> MjpegStream:
        """See `edgeemo.live.sources.base.Source.open`.

        Raises:
            OtherContentError: If the address gives something else.
        """
        reply = request(self._address, timeout_s=base.NO_FRAME_S)
        kind = reply.content_type
        if kind.startswith("multipart/") or kind.endswith(("mjpeg", "motion-jpeg")):
            return MjpegStream(reply, name=self.name)
        reply.close()
        if kind.startswith(("image/", "text/")):
            what = "one image" if kind.startswith("image/") else "a page"
            raise SourceError(f"{self.name}: gives {what}, not a video; the camera's manual tells "
                              "its address for MJPEG or RTSP")  # fmt: skip
        raise OtherContentError(f"{self.name}: gives {kind}, not MJPEG")


class MjpegStream:
    """An open stream of JPEG files.

    Args:
        reply: The reply; its content is still to be received.
        name: Its name in messages.
    """

    def __init__(self, reply: HttpReply, *, name: str) -> None:
        self._reply, self._name = reply, name
        self._splitter = ImageSplitter()
        self._ready: deque[bytes] = deque()
        self._closed = Flag()
        self._limit_s = base.FIRST_FRAME_S
        self._last_frame = time.monotonic()
        self._given = 0

    def read(self) -> Frame | None:
        """See `edgeemo.live.sources.base.FrameStream.read`."""
        while not self._ready:
            data = self._receive()
            if self._closed.is_set():
                return None
            self._ready.extend(self._splitter.feed(data))
            if not self._ready and time.monotonic() - self._last_frame > self._limit_s:
                raise self._make_late_error()
        self._limit_s, self._last_frame = base.NO_FRAME_S, time.monotonic()
        number = self._given + self._splitter.damaged
        self._given += 1
        pixels = JpegPixels(self._ready.popleft())
        return Frame(number=number, time_s=self._last_frame, pixels=pixels)

    def close(self) -> None:
        """See `edgeemo.live.sources.base.FrameStream.close`."""
        if not self._closed.is_set():
            self._closed.set()
            self._reply.close()

    def _receive(self) -> bytes:
        if self._closed.is_set():
            return b""
        try:
            data = self._reply.receive(timeout_s=self._limit_s)
        except (OSError, ValueError) as error:  # ValueError: closed meanwhile
            if self._closed.is_set():
                return b""
            if isinstance(error, TimeoutError):
                raise self._make_late_error() from None
            raise SourceError(f"{self._name}: closed the connection") from None
        if not data and not self._closed.is_set():
            raise SourceError(f"{self._name}: closed the connection")
        return data

    def _make_late_error(self) -> SourceError:
        return SourceError(f"{self._name}: no frame for {self._limit_s:.0f} s")
