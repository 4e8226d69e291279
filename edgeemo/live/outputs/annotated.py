"""--annotate: a video with bounding boxes and labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.errors import ImageError, OutputError
from edgeemo.live.outputs.images import FaceWindow, render
from edgeemo.live.outputs.video import VideoWriter
from edgeemo.live.outputs.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edgeemo.imaging.faces import Face
    from edgeemo.live.observation import Event, Observation
    from edgeemo.live.outputs.images import FrameImages

_LIMIT_PIXELS, _LIMIT = 6_000_000, 4
"""Pixels that wait for the encoder, in whole frames, and the number that may wait in any case."""
_CLOSE_S = 0.7


class AnnotatedVideo:
    """Writes every frame with what is seen in it, at its own time.

    What a kill cuts off still plays. An encoder that is slower than a live source leaves frames
    out; of a file none is left out.

    Args:
        path: The file.
        images: Decodes frames.
        is_live: Whether the source is live.
        blur: Whether faces are pixelated.
        report: Receives a line when frames are left out.
    """

    def __init__(
        self,
        path: Path,
        images: FrameImages,
        *,
        is_live: bool,
        blur: bool,
        report: Callable[[str], None],
    ) -> None:
        self.name = str(path)
        self._images, self._is_live = images, is_live
        self._window = FaceWindow(blur=blur)
        self._start_s: float | None = None
        path.unlink(missing_ok=True)  # libav makes the file with the first frame
        self._video = VideoWriter(path, in_pieces=True)
        message = f"{path}: the encoder is slower than the source; frames are left out of this file"
        self._worker = Worker(
            self._add, limit=_LIMIT, waits=not is_live, on_drop=lambda: report(message)
        )

    def add_observation(self, seen: Observation) -> None:
        """See `edgeemo.live.outputs.base.Output.add_observation`."""
        if seen.error is None:
            width, height = seen.frame.pixels.size
            self._worker.limit = max(_LIMIT, _LIMIT_PIXELS // (width * height))
            self._worker.put(seen)

    def add_event(self, event: Event) -> None:
        """Ignore it: the frames show it."""

    def close(self) -> None:
        """See `edgeemo.live.outputs.base.Output.close`."""
        try:
            if not self._worker.finish(_CLOSE_S if self._is_live else None):
                raise OutputError("the encoder is too slow; the last frames are missing")
            if not self._is_live:  # else whoever came in last is not detected yet
                for seen, faces in self._window.flush():
                    self._write(seen, faces)
        except BaseException:
            self._video.abandon()
            raise
        self._video.close()

    def _add(self, seen: Observation) -> None:
        for ready, faces in self._window.add(seen):
            self._write(ready, faces)

    def _write(self, seen: Observation, faces: list[Face]) -> None:
        try:
            image = self._images.take(seen.frame)
        except ImageError:
            return  # a damaged frame costs itself
        if self._start_s is None:
            self._start_s = seen.frame.time_s if self._is_live else 0.0
        self._video.add(render(image, seen, faces), seen.frame.time_s - self._start_s)
