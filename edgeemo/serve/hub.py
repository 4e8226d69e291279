"""What the live run saw last, for whoever looks: the output of the loop's thread."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from edgeemo.live.outputs.clock import Clock
from edgeemo.live.outputs.images import FaceWindow
from edgeemo.live.outputs.jsonl import event_fields
from edgeemo.serve.timeline import TimeLine

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from edgeemo.imaging.faces import Face
    from edgeemo.live.observation import Event, Observation

SourceState = Literal["none", "live", "lost", "ended"]
"""Without a source; giving frames; not giving any at the moment; at its end."""

_EVENTS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """An observation, and when it came.

    Attributes:
        seen: The observation.
        time: When its frame was taken, in seconds since 1970.
        hidden: Faces to pixelate in its image.
    """

    seen: Observation
    time: float
    hidden: tuple[Face, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberedEvent:
    """An event, as it is sent.

    Attributes:
        number: Its number in this run, from 1.
        kind: See `edgeemo.live.observation.Event`.
        fields: The value of JSON.
    """

    number: int
    kind: str
    fields: dict[str, Any]


class Hub:
    """An output of a live run that keeps the newest observation and the last events.

    The loop's thread writes; the thread of asyncio reads, and waits in `wait`. Where nobody waits,
    an observation costs a few microseconds.

    Args:
        is_live: Whether the source is live; otherwise a frame's time is when it was seen.
        blur: Whether faces are pixelated, for which frames are held back half a second.
        source: State of the source at first.
        silence_s: Seconds without a frame after which the source counts as lost; None for never.

    Attributes:
        name: As of every output.
        run: Random text that tells this run from others.
        newest: The newest observation that could be used, or None.
        version: Grows with each change.
        observed: Number of observations.
        passed_over: Number of the source's frames between them.
        source: State of the source.
        source_text: Why it was lost; else empty.
        source_since: When its state began, in seconds since 1970.
        events: The last events.
        event_count: Number of events so far.
        time_line: The labels of the last minutes.
    """

    name = "serve"

    def __init__(
        self,
        *,
        is_live: bool = True,
        blur: bool = False,
        source: SourceState = "live",
        silence_s: float | None = None,
    ) -> None:
        self._silence_s, self._expected = silence_s, time.monotonic()
        self._clock, self._window = Clock(is_live=is_live), FaceWindow(blur=blur)
        self.run = secrets.token_hex(4)
        self.newest: Moment | None = None
        self.version = self.observed = self.passed_over = 0
        self.source: SourceState = source
        self.source_text, self.source_since = "", time.time()
        self.events: deque[NumberedEvent] = deque(maxlen=_EVENTS)
        self.time_line = TimeLine()
        self.event_count = 0
        self._is_silent = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: set[asyncio.Future[None]] = set()
        self._waiting_events: set[asyncio.Future[None]] = set()

    def add_observation(self, seen: Observation) -> None:
        """See `edgeemo.live.outputs.base.Output.add_observation`."""
        self.observed += 1
        self._expected = time.monotonic()
        self.passed_over += seen.passed_over
        if seen.error is None:
            self.time_line.add(seen.faces, self._date(seen.frame.time_s))
            for due, hidden in self._window.add(seen):
                self.newest = Moment(
                    seen=due, time=self._date(due.frame.time_s), hidden=tuple(hidden)
                )
        self._change()

    def add_event(self, event: Event) -> None:
        """See `edgeemo.live.outputs.base.Output.add_event`."""
        if event.kind in ("lost", "back"):
            self.set_source("lost" if event.kind == "lost" else "live", event.text)
        self.event_count += 1
        fields = event_fields(event, self._clock)
        self.events.append(NumberedEvent(number=self.event_count, kind=event.kind, fields=fields))
        self._change()
        self._wake(self._waiting_events)

    def close(self) -> None:
        """See `edgeemo.live.outputs.base.Output.close`."""

    def set_source(self, state: SourceState, text: str = "") -> None:
        """Record that the source gives frames, was lost, or has ended.

        Args:
            state: Its state.
            text: Why it was lost.
        """
        if (state, text) != (self.source, self.source_text):
            self.source, self.source_text, self.source_since = state, text, time.time()
            self._change()

    def watch_silence(self, *, is_paused: bool) -> None:
        """Record that the source is lost where nothing came for too long, and that it is back.

        Args:
            is_paused: Whether nothing is expected.
        """
        now = time.monotonic()
        if self._silence_s is None or is_paused:
            self._expected = now
        elif self.source == "live" and now - self._expected > self._silence_s:
            self._is_silent = True
            self.set_source("lost", f"no image for {self._silence_s:.0f} seconds")
        elif self._is_silent and now - self._expected < self._silence_s:
            self._is_silent = False
            if self.source == "lost":
                self.set_source("live")

    def touch(self) -> None:
        """Wake whoever waits: a setting was changed."""
        self._change()

    async def wait(self, version: int, *, timeout_s: float) -> bool:
        """Wait for a change.

        Args:
            version: The `version` that is known.
            timeout_s: Longest time to wait, in seconds.

        Returns:
            Whether there was one.
        """
        return await self._wait(self._waiting, lambda: self.version != version, timeout_s=timeout_s)

    async def wait_event(self, number: int, *, timeout_s: float) -> bool:
        """Wait for an event.

        Args:
            number: Number of the last one that is known.
            timeout_s: As of `wait`.

        Returns:
            Whether there was one.
        """
        return await self._wait(
            self._waiting_events, lambda: self.event_count > number, timeout_s=timeout_s
        )

    async def _wait(
        self,
        futures: set[asyncio.Future[None]],
        is_due: Callable[[], bool],
        *,
        timeout_s: float,
    ) -> bool:
        self._loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = self._loop.create_future()
        futures.add(future)  # before the comparison: a change in between is not missed
        try:
            if not is_due():
                async with asyncio.timeout(timeout_s):
                    await future
        except TimeoutError:
            return False
        finally:
            futures.discard(future)
        return True

    def _change(self) -> None:
        self.version += 1
        self._wake(self._waiting)

    def _wake(self, futures: set[asyncio.Future[None]]) -> None:
        """Wake who waits, from any thread; without one it costs nothing."""
        if futures and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_finish, futures)

    def _date(self, time_s: float) -> float:
        """Return a frame's time in seconds since 1970."""
        return self._clock.to_seconds(time_s) if self._clock.is_live else time.time()


def _finish(futures: set[asyncio.Future[None]]) -> None:
    for future in futures:
        if not future.done():
            future.set_result(None)
