"""--clip: video before and after each change of a label, in a folder of bounded size."""

from __future__ import annotations

import io
import time
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edgeemo.errors import ImageError
from edgeemo.live.observation import Event, Observation
from edgeemo.live.outputs.clip_writer import ClipEnd, ClipStart, ClipWriter
from edgeemo.live.outputs.images import WINDOW_S
from edgeemo.live.outputs.worker import Worker
from edgeemo.live.pixels import JpegPixels

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeemo.live.outputs.clip_folder import ClipFolder
    from edgeemo.live.outputs.clock import Clock
    from edgeemo.live.outputs.images import FrameImages

_RING_BYTES = 64_000_000
"""Most that the frames before a change may take in memory, as JPEG files."""
_QUALITY = 90
_WAITING, _WAITING_JPEGS = 8, 2000
_LONGEST_S = 60.0
"""Seconds after which further changes no longer extend a clip, unless one change takes longer."""
_CLOSE_S = 0.7


@dataclass(frozen=True, kw_only=True)
class ClipSettings:
    """Settings of clips.

    Attributes:
        around_s: Seconds before the first change and after the last one of a clip.
        blur: Whether faces are pixelated.
        prefix: Beginning of the names of clips; may be empty.
    """

    around_s: float
    blur: bool = False
    prefix: str = ""

    @property
    def beyond_s(self) -> float:
        """Return for how long frames behind a clip tell which faces are in its last ones."""
        return WINDOW_S if self.blur else 0.0


class Clips:
    """Keeps the last seconds as JPEG files in memory, and writes them where a label changes.

    One thread makes JPEG files, a second one writes clips: the video of the seconds before a
    change costs no frame after it. Of a live source frames are left out where that is too slow, of
    a file none. A clip is in the folder when it is complete.

    Args:
        folder: Where they go.
        images: Decodes frames.
        clock: The meaning of times.
        settings: See `ClipSettings`.
        report: Receives a line when frames are left out.
    """

    def __init__(
        self,
        folder: ClipFolder,
        images: FrameImages,
        clock: Clock,
        settings: ClipSettings,
        *,
        report: Callable[[str], None],
    ) -> None:
        self.name = str(folder.path)
        self._images, self._clock, self._settings = images, clock, settings
        self._ring = _Ring(settings.around_s)
        self._start_s = self._end_s = float("-inf")
        self._is_open = False
        message = f"{self.name}: slower than the source; frames are left out of clips"

        def warn() -> None:
            report(message)

        waits = not clock.is_live
        self._frames = Worker(self._take, limit=_WAITING, waits=waits, on_drop=warn)
        self._writer = ClipWriter(folder, blur=settings.blur)
        self._clips: Worker[ClipStart | Observation | ClipEnd] = Worker(
            self._writer.act, limit=_WAITING_JPEGS, waits=waits, on_drop=warn
        )

    def add_observation(self, seen: Observation) -> None:
        """See `edgeemo.live.outputs.base.Output.add_observation`."""
        if seen.error is None:
            self._frames.put(seen)

    def add_event(self, event: Event) -> None:
        """See `edgeemo.live.outputs.base.Output.add_event`."""
        if event.kind == "changed":
            self._frames.put(event, always=True)

    def close(self) -> None:
        """See `edgeemo.live.outputs.base.Output.close`; a clip ends with what there is."""
        limit_s = _CLOSE_S if self._clock.is_live else None
        if limit_s is not None:
            self._writer.ends_s = time.monotonic() + 0.6 * limit_s
        self._frames.finish(limit_s and 0.3 * limit_s)
        self._end()
        self._clips.finish(limit_s)

    def _take(self, item: Observation | Event) -> None:
        if isinstance(item, Event):
            self._begin_or_extend(item)
            return
        try:
            seen = self._compress(item)
        except ImageError:
            return  # a damaged frame costs itself
        if seen.frame.time_s > self._end_s + self._settings.beyond_s:
            self._end()
        if self._is_open:
            self._clips.put(seen)
        self._ring.add(seen)

    def _begin_or_extend(self, event: Event) -> None:
        longest_s = max(_LONGEST_S, 3 * self._settings.around_s)
        self._end_s = event.time_s + self._settings.around_s
        if self._is_open:
            self._end_s = min(self._end_s, self._start_s + longest_s)
            return
        self._is_open, self._start_s = True, event.time_s
        self._clips.put(ClipStart(self._make_name(event)), always=True)
        for seen in self._ring.take():
            self._clips.put(seen)

    def _end(self) -> None:
        if self._is_open:
            self._is_open = False
            self._clips.put(ClipEnd(), always=True)

    def _make_name(self, event: Event) -> str:
        label = event.face.steady.label if event.face else ""
        id = event.face.id if event.face else 0
        when = self._clock.to_name(event.time_s)
        return f"{self._settings.prefix}{when}_face-{id}_{event.previous}-to-{label}"

    def _compress(self, seen: Observation) -> Observation:
        content = seen.frame.pixels.jpeg
        if content is None:
            stream = io.BytesIO()
            self._images.take(seen.frame).save(stream, "JPEG", quality=_QUALITY)
            content = stream.getvalue()
        return replace(seen, frame=replace(seen.frame, pixels=JpegPixels(content)))


class _Ring:
    """The frames of the last seconds.

    Args:
        span_s: Number of seconds.
    """

    def __init__(self, span_s: float) -> None:
        self._span_s = span_s
        self._seen: deque[Observation] = deque()
        self._bytes = 0

    def add(self, seen: Observation) -> None:
        self._seen.append(seen)
        self._bytes += _count_bytes(seen)
        while self._is_too_much(seen.frame.time_s):
            self._bytes -= _count_bytes(self._seen.popleft())

    def take(self) -> list[Observation]:
        taken = list(self._seen)
        self._seen.clear()
        self._bytes = 0
        return taken

    def _is_too_much(self, now_s: float) -> bool:
        oldest = self._seen[0].frame.time_s
        return oldest < now_s - self._span_s or oldest > now_s or self._bytes > _RING_BYTES


def _count_bytes(seen: Observation) -> int:
    return len(seen.frame.pixels.jpeg or b"")
