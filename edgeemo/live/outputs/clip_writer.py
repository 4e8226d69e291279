"""A clip from the frames before and after a change."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeemo.live.outputs.images import FaceWindow, render
from edgeemo.live.outputs.video import VideoWriter

if TYPE_CHECKING:
    from edgeemo.imaging.faces import Face
    from edgeemo.live.observation import Observation
    from edgeemo.live.outputs.clip_folder import ClipFolder


@dataclass(frozen=True)
class ClipStart:
    """The beginning of a clip.

    Attributes:
        name: Beginning of its name.
    """

    name: str


@dataclass(frozen=True)
class ClipEnd:
    """The end of a clip."""


class ClipWriter:
    """Writes one clip after the other, in one thread.

    Args:
        folder: Where they go.
        blur: Whether faces are pixelated.

    Attributes:
        ends_s: Moment on `time.monotonic`'s clock from which frames are left out, so that the clip
            is complete in time; None for none.
    """

    def __init__(self, folder: ClipFolder, *, blur: bool) -> None:
        self._folder, self._blur = folder, blur
        self._stack = ExitStack()
        self._video: VideoWriter | None = None
        self._window = FaceWindow(blur=blur)
        self._start_s: float | None = None
        self.ends_s: float | None = None

    def act(self, item: ClipStart | Observation | ClipEnd) -> None:
        """Begin a clip, add a frame to it, or complete it.

        Raises:
            OutputError: If it cannot be written; nothing is left of it.
            OSError: Likewise.
        """
        try:
            if isinstance(item, ClipStart):
                self._begin(item.name)
            elif isinstance(item, ClipEnd):
                self._finish()
            else:
                self._add(item)
        except BaseException as error:
            self._stack.__exit__(type(error), error, error.__traceback__)
            raise

    def _begin(self, name: str) -> None:
        self._stack = ExitStack()
        path = self._stack.enter_context(self._folder.add(name))
        self._video = VideoWriter(path, in_pieces=False)
        self._stack.push(self._close_video)
        self._window, self._start_s = FaceWindow(blur=self._blur), None

    def _close_video(self, error_type: type[BaseException] | None, *_: object) -> None:
        if self._video is not None:
            video, self._video = self._video, None
            video.close() if error_type is None else video.abandon()

    def _add(self, seen: Observation) -> None:
        if self._video is not None and (self.ends_s is None or time.monotonic() < self.ends_s):
            for ready, faces in self._window.add(seen):
                self._write(ready, faces)

    def _finish(self) -> None:
        """Complete the clip; frames whose faces are not certain yet are left out."""
        self._stack.close()

    def _write(self, seen: Observation, faces: list[Face]) -> None:
        if self._video is not None:
            if self._start_s is None:
                self._start_s = seen.frame.time_s
            image = render(seen.frame.pixels.decode(), seen, faces)
            self._video.add(image, seen.frame.time_s - self._start_s)
