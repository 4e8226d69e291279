"""Frames for the loop that predicts: the newest one of a live source, every one of a file."""

from __future__ import annotations

from threading import Condition, Thread
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from edgeemo.live.frame import Frame
    from edgeemo.live.observation import Event
    from edgeemo.live.sources.base import FrameStream, Source


class FrameReader:
    """A thread that reads a live source into one slot; a file is read when a frame is asked for.

    Args:
        source: The source. It is opened at once, so that an error is reported before all else.

    Attributes:
        passed_over: Number of frames that nobody took, so far.
        has_ended: Whether the last frame was taken.

    Raises:
        EdgeEmoError: If the source cannot be opened.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._stream: FrameStream = source.open()
        self._changed = Condition()
        self._slot: Frame | None = None
        self._failure: BaseException | None = None
        self.passed_over = 0
        self.has_ended = False
        if source.is_live:
            Thread(target=self._read_on, name="reader", daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.has_ended = True
        self._stream.close()

    def take(self, wait_s: float) -> Frame | None:
        """Return the newest frame, or the next one of a file.

        Args:
            wait_s: Seconds to wait for one.

        Returns:
            The frame; None where there is none yet, or none any more (`has_ended`).

        Raises:
            SourceError: If the source is lost for good.
        """
        if not self._source.is_live:
            frame = self._stream.read()
            self.has_ended = frame is None
            return frame
        with self._changed:
            self._changed.wait_for(lambda: self._slot or self._failure or self.has_ended, wait_s)
            if self._failure is not None:
                raise self._failure
            frame, self._slot = self._slot, None
        return frame

    def take_events(self) -> list[Event]:
        """Return the events "lost" and "back" since the last call."""
        return []

    def _read_on(self) -> None:
        try:
            while (frame := self._stream.read()) is not None and not self.has_ended:
                with self._changed:
                    self.passed_over += self._slot is not None
                    self._slot = frame
                    self._changed.notify()
        except BaseException as failure:  # raised again in the thread that takes frames
            self._failure = failure
        with self._changed:
            self.has_ended = True
            self._changed.notify()
