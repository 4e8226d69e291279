"""Images that leave a run: whole frames, pixelated and drawn into as requested."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING

from edgeemo.live.privacy import pixelate_faces
from edgeemo.runtime.annotate import describe_prediction, draw_prediction

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from PIL import Image

    from edgeemo.imaging.faces import Face
    from edgeemo.live.frame import Frame
    from edgeemo.live.observation import Observation, TrackedFace

WINDOW_S = 0.5
"""Seconds before and after a frame whose faces are pixelated in it, too: one that enters is not
detected in its first frames, nor one that turns away in its last."""
_MOST_HELD = 32
"""Frames that wait for what is detected after them."""


class FrameImages:
    """Decodes a frame once for several outputs, whose threads ask for it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._frame: Frame | None = None
        self._image: Image.Image | None = None

    def take(self, frame: Frame) -> Image.Image:
        """Return a new image of a frame, mode "RGB", upright and whole.

        Raises:
            ImageError: If the frame is damaged.
        """
        with self._lock:
            if self._image is None or self._frame is not frame:
                self._image, self._frame = frame.pixels.decode(), frame
            return self._image.copy()


class FaceWindow:
    """Holds frames back until it is known which faces are in them.

    Args:
        blur: Whether faces are pixelated; otherwise nothing is held back.
    """

    def __init__(self, *, blur: bool) -> None:
        self._blur = blur
        self._held: deque[Observation] = deque()
        self._past: deque[tuple[float, dict[int, Face]]] = deque()

    def add(self, seen: Observation) -> list[tuple[Observation, list[Face]]]:
        """Take an observation; return those that may leave, with the faces to pixelate."""
        if not self._blur:
            return [(seen, [])]
        self._held.append(seen)
        end = seen.frame.time_s - WINDOW_S
        ready = []
        while self._held[0].frame.time_s < end or len(self._held) > _MOST_HELD:
            ready.append(self._release())
        return ready

    def flush(self) -> list[tuple[Observation, list[Face]]]:
        """Return the rest."""
        return [self._release() for _ in range(len(self._held))]

    def _release(self) -> tuple[Observation, list[Face]]:
        seen = self._held.popleft()
        time_s, boxes = seen.frame.time_s, find_boxes(seen)
        while self._past and self._past[0][0] < time_s - WINDOW_S:
            self._past.popleft()
        around = [*(past for _, past in self._past), boxes, *map(find_boxes, self._held)]
        self._past.append((time_s, boxes))
        return seen, _enclose(around)


def find_boxes(seen: Observation) -> dict[int, Face]:
    """Return where faces are in a frame, by id: as they are followed, and as detected in it."""
    return {
        each.id: _join(each.face, (each.raw and each.raw.face) or each.face)
        for each in seen.faces
        if each.face is not None
    }


def _enclose(frames: Iterable[Mapping[int, Face]]) -> list[Face]:
    """Return for each face a box around all places at which it is."""
    boxes: dict[int, Face] = {}
    for frame in frames:
        for id, face in frame.items():
            boxes[id] = _join(boxes.get(id, face), face)
    return list(boxes.values())


def _join(one: Face, other: Face) -> Face:
    """Return the smallest square, from its upper left corner, around two."""
    left, top = min(one.left, other.left), min(one.top, other.top)
    right = max(one.left + one.side, other.left + other.side)
    bottom = max(one.top + one.side, other.top + other.side)
    return one._replace(left=left, top=top, side=max(right - left, bottom - top))


def draw_faces(image: Image.Image, faces: Iterable[TrackedFace]) -> None:
    """Draw bounding boxes with the number, the steady and the raw prediction of each face."""
    for each in faces:
        draw_prediction(image, replace(each.steady, face=each.face), text=describe_tracked(each))


def describe_tracked(face: TrackedFace) -> str:
    """Return the text at a face: "1 happy 0.82" and "raw sad 0.55" below."""
    number = f"{face.id} " if face.face else ""
    raw = f"\nraw {describe_prediction(face.raw)}" if face.raw else ""
    return f"{number}{describe_prediction(face.steady)}{raw}"


def render(
    image: Image.Image, seen: Observation, hidden: Iterable[Face], *, labels: bool = True
) -> Image.Image:
    """Pixelate faces in an image of a frame, and draw what is seen.

    Args:
        image: Mode "RGB"; it is changed.
        seen: The observation of the frame.
        hidden: The faces to pixelate.
        labels: Whether boxes and labels are drawn.
    """
    pixelate_faces(image, hidden)
    if labels:
        draw_faces(image, seen.faces)
    return image
