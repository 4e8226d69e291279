"""Frames for the loop that predicts: the newest one of a live source, every one of a file."""

from __future__ import annotations

from collections import deque
from threading import Condition, Thread
from typing import TYPE_CHECKING, Self

from edgeemo.live.reopening import ReopeningStream

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeemo.live.frame import Frame
    from edgeemo.live.observation import Event
    from edgeemo.live.sources.base import Source

CLOSING_S = 0.4
"""Longest time, in seconds, that the end waits for a source, and for the thread that reads."""


class FrameReader:
    """A thread that reads a source into one slot.

    A live source's frame replaces the one that nobody took. Every frame of a file is kept until it
    is taken, and every image of a folder, which has a name. A source that is lost is opened again
    (`edgeemo.live.reopening`).

    Args:
        source: The source. It is opened at once, so that an error is reported before all else.
        report: Receives a line for the user, within `take`.

    Attributes:
        passed_over: Number of the source's frames that nobody took, so far.

    Raises:
        EdgeEmoError: If the source cannot be opened.
    """

    def __init__(self, source: Source, *, report: Callable[[str], object] | None = None) -> None:
        self._report = report or (lambda _: None)
        self._events: deque[Event] = deque()
        self._lines: deque[str] = deque()
        self._is_live = source.is_live
        self._stream = ReopeningStream(
            source, on_event=self._events.append, report=self._lines.append
        )
        self._changed = Condition()
        self._slot: Frame | None = None
        self._failure: BaseException | None = None
        self._is_closing = self._is_finished = False
        self._last_number = -1
        self.passed_over = 0
        self._thread = Thread(target=self._read_on, name="reader", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        # A library that is stuck does not delay the end: both threads are daemons.
        closing = Thread(target=self._stream.close, name="closing", daemon=True)
        closing.start()
        closing.join(CLOSING_S)
        self._thread.join(CLOSING_S)

    @property
    def has_ended(self) -> bool:
        """Return whether the last frame was taken."""
        return self._is_finished and self._slot is None and self._failure is None

    @property
    def is_stuck(self) -> bool:
        """Return whether the source's library does not come back; see `ReopeningStream`."""
        return self._stream.is_stuck

    def take(self, wait_s: float) -> Frame | None:
        """Return the newest frame, or the next one of a file.

        Args:
            wait_s: Seconds to wait for one.

        Returns:
            The frame; None where there is none yet, or none any more (`has_ended`).

        Raises:
            EdgeEmoError: If the source is lost for good.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._slot is not None or self._is_finished, wait_s)
            frame, self._slot = self._slot, None
            self._changed.notify_all()
        self._stream.check()
        while self._lines:
            self._report(self._lines.popleft())
        if frame is None:
            failure, self._failure = self._failure, None
            if failure is not None:
                raise failure
            return None
        self.passed_over += frame.number - self._last_number - 1
        self._last_number = frame.number
        return frame

    def take_events(self) -> list[Event]:
        """Return the events "lost" and "back" since the last call."""
        return [self._events.popleft() for _ in range(len(self._events))]

    def _read_on(self) -> None:
        try:
            while (frame := self._stream.read()) is not None:
                with self._changed:
                    if frame.name or not self._is_live:
                        self._changed.wait_for(lambda: self._slot is None or self._is_closing)
                    if self._is_closing:
                        break
                    self._slot = frame
                    self._changed.notify_all()
        except BaseException as failure:  # raised again in the thread that takes frames
            self._failure = failure
        self._stream.close()
        with self._changed:
            self._is_finished = True
            self._changed.notify_all()
