"""A stream of frames that is opened again after its source was lost."""

from __future__ import annotations

import time
from dataclasses import replace
from threading import Event as Flag
from threading import Lock
from typing import TYPE_CHECKING

from edgeemo.errors import ImageError, SourceError
from edgeemo.live import frozen
from edgeemo.live.outage import Outages
from edgeemo.live.sources import base
from edgeemo.utils.memory import return_free_memory
from edgeemo.utils.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeemo.live.frame import Frame
    from edgeemo.live.observation import Event
    from edgeemo.live.sources.base import FrameStream, Source

STUCK = 2
"""A read that takes so many times as long as it may is stuck in a library."""

HOPELESS_S = 20.0
"""Seconds in a library after which a source is stuck for good: only a new process helps."""


class ReopeningStream:
    """The frames of a source, whatever happens to it. It is opened at once.

    A live source that never gave a frame fails for good, and so does one that cannot be reopened.

    Args:
        source: The source.
        on_event: Receives the events "lost" and "back", in any thread.
        report: Receives a line for the user, in any thread.

    Raises:
        EdgeEmoError: If the source cannot be opened.
    """

    def __init__(
        self,
        source: Source,
        *,
        on_event: Callable[[Event], object],
        report: Callable[[str], object],
    ) -> None:
        self._source, self._report = source, report
        self._frozen = frozen.FrozenDetector()
        self._closing, self._lock = Flag(), Lock()
        self._reopens = source.is_live and source.can_reopen
        self._gave_frame = not source.is_live
        self._reported_frozen = False
        self._next_number = 0
        self._reading_since: float | None = None
        self._stream: FrameStream | None = None
        self._open()
        # "the first camera" has its name when it is open
        self._outages = Outages(source.name, on_event=on_event, report=report)

    def read(self) -> Frame | None:
        """Wait for the next frame, however long the source is lost.

        Returns:
            The frame, its number counted from when the source was first opened; None after the
            last one, and after `close`.

        Raises:
            EdgeEmoError: If the source is lost for good.
        """
        while not self._closing.is_set():
            try:
                frame = self._read_once()
            except base.NoFrameYetError:
                self._gave_frame = True
                continue
            except ImageError as error:  # this frame only, unless there is no other
                if self._reopens and time.monotonic() - self._last_frame > base.NO_FRAME_S:
                    self._lose(error)
                continue
            except Exception as error:  # whatever a library raises, the source is lost
                self._lose(error)
                continue
            if frame is None or self._accept(frame):
                return frame
        return None

    def check(self) -> None:
        """Close the source if its library is stuck; another thread calls this now and then."""
        began = self._reading_since
        if began is None or not self._reopens or not self._gave_frame:
            return
        limit = base.NO_FRAME_S if self._next_number > self._base else base.FIRST_FRAME_S
        if time.monotonic() - began > STUCK * limit:
            self._outages.begin(f"no frame for {STUCK * limit:.0f} s")
            self._close_stream()

    @property
    def is_stuck(self) -> bool:
        """Return whether a library does not come back, so that nothing is read or opened again."""
        began = self._reading_since
        return began is not None and self._reopens and time.monotonic() - began > HOPELESS_S

    def close(self) -> None:
        """Close the source for good and have a `read` in another thread end."""
        self._closing.set()
        self._close_stream()

    def _open(self) -> FrameStream:
        stream = self._source.open()
        with self._lock:
            self._stream, self._base = stream, self._next_number
        self._opened = self._last_frame = time.monotonic()
        if self._closing.is_set():  # while it was opened
            self._close_stream()
        return stream

    def _read_once(self) -> Frame | None:
        self._reading_since = time.monotonic()
        try:
            frame = (self._stream or self._open()).read()
        finally:
            self._reading_since = None
        if frame is None:
            if self._reopens and not self._closing.is_set():
                raise SourceError(f"{self._source.name}: the stream has ended")
            return None
        number = self._base + frame.number
        self._next_number, self._last_frame = number + 1, time.monotonic()
        return replace(frame, number=number) if self._base else frame

    def _accept(self, frame: Frame) -> bool:
        """Return whether a frame is worth showing: a frozen camera's are not."""
        self._gave_frame = True
        if self._reopens and not frame.name and self._frozen.update(frame, now_s=self._last_frame):
            if self._source.is_device:
                if not self._outages.is_lost or self._last_frame - self._opened > frozen.FROZEN_S:
                    self._lose(SourceError(f"the same image for {frozen.FROZEN_S:.0f} s"))
                return False
            if not self._reported_frozen:
                self._report(f"{self._source.name}: the same image for {frozen.FROZEN_S:.0f} s")
        self._reported_frozen = self._frozen.is_frozen
        self._outages.end()
        return True

    def _lose(self, error: Exception) -> None:
        """Close the source and wait until it may be opened again.

        Raises:
            Exception: `error`, if the source is lost for good.
        """
        was_open = self._close_stream()
        if self._closing.is_set():
            return
        if not (self._source.can_reopen and self._gave_frame):
            raise error
        self._outages.begin(one_line(error))
        if was_open:
            return_free_memory()
        self._closing.wait(self._outages.next_pause())

    def _close_stream(self) -> bool:
        """Close the source; return whether it was open."""
        with self._lock:
            stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
        return stream is not None
