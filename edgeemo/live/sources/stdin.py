"""JPEG or PNG files one after the other on standard input."""

from __future__ import annotations

import os
import select
import stat
import sys
import time
from collections import deque
from threading import Event as Flag
from typing import TYPE_CHECKING

from edgeemo.errors import SourceError
from edgeemo.live.frame import Frame
from edgeemo.live.pixels import JpegPixels
from edgeemo.live.sources.image_splitter import ImageSplitter

if TYPE_CHECKING:
    from edgeemo.live.sources.settings import SourceSettings

_WAIT_S = 0.2
_CHUNK_BYTES = 1 << 16


class StandardInput:
    """Standard input as a source: a pipe is live, a file gives every image.

    Args:
        settings: The frame rate, by which the images of a file have their times.
        descriptor: Number of the open file.
    """

    name, is_device, can_reopen = "standard input", False, False

    def __init__(self, settings: SourceSettings, *, descriptor: int = 0) -> None:
        self._fps, self._descriptor = settings.fps, descriptor
        try:
            if sys.stdin is None:  # its number may be that of another file by now
                raise OSError
            self.is_live = not stat.S_ISREG(os.fstat(descriptor).st_mode)
        except OSError:
            raise SourceError("standard input: is closed; pipe JPEG files into it") from None

    def open(self) -> InputStream:
        """See `edgeemo.live.sources.base.Source.open`."""
        if os.isatty(self._descriptor):
            raise SourceError(
                "standard input: is a terminal; pipe JPEG files into it, one after the other"
            )
        return InputStream(self._descriptor, fps=None if self.is_live else self._fps)


class InputStream:
    """The images on standard input, however long it is silent.

    Args:
        descriptor: Number of the open file, which stays open.
        fps: Images per second of a file, which nothing in it tells; None of a pipe, where the time
            of an image is that of its arrival.
    """

    def __init__(self, descriptor: int, *, fps: float | None = None) -> None:
        self._descriptor, self._fps = descriptor, fps
        self._splitter = ImageSplitter()
        self._ready: deque[bytes] = deque()
        self._closed = Flag()
        self._given = 0

    def read(self) -> Frame | None:
        """See `edgeemo.live.sources.base.FrameStream.read`.

        Raises:
            SourceError: If there was no image at all.
        """
        while not self._ready:
            data = self._receive()
            if self._closed.is_set():
                return None
            if not data:
                self._finish()
                return None
            self._ready.extend(self._splitter.feed(data))
        number = self._given + self._splitter.damaged
        self._given += 1
        time_s = time.monotonic() if self._fps is None else number / self._fps
        return Frame(number=number, time_s=time_s, pixels=JpegPixels(self._ready.popleft()))

    def close(self) -> None:
        """See `edgeemo.live.sources.base.FrameStream.close`."""
        self._closed.set()

    def _receive(self) -> bytes:
        """Return what there is; nothing at the end, and after `close`."""
        while not self._closed.is_set():
            if sys.platform == "win32":  # where select knows sockets only
                return os.read(self._descriptor, _CHUNK_BYTES)
            if select.select([self._descriptor], [], [], _WAIT_S)[0]:
                return os.read(self._descriptor, _CHUNK_BYTES)
        return b""

    def _finish(self) -> None:
        self._splitter.finish()
        if not self._given:
            found = "the only JPEG is cut off" if self._splitter.damaged else "no JPEG in it"
            raise SourceError(f"standard input: {found}")
