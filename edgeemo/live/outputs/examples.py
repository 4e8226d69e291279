"""One example crop per face, for the page of a run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edgeemo.errors import ImageError
from edgeemo.live.outputs.images import find_boxes
from edgeemo.live.outputs.summary import MAX_FACES
from edgeemo.live.outputs.worker import Worker
from edgeemo.live.privacy import pixelate_faces
from edgeemo.report.thumbnail import encode_thumbnail

if TYPE_CHECKING:
    from edgeemo.live.observation import Observation, TrackedFace
    from edgeemo.live.outputs.images import FrameImages
    from edgeemo.model.spec import ModelSpec

_SIDE = 160
_BETTER = 0.05
"""Probability by which a later crop has to be surer to take the place of an earlier one."""
_WAITING = 2


@dataclass(frozen=True)
class Example:
    """An example of a face.

    Attributes:
        jpeg: A small image, as the bytes of its file.
        caption: Label and probability.
    """

    jpeg: bytes
    caption: str


class Examples:
    """Keeps the crop of each face of which the model was surest.

    Args:
        spec: The model's specification.
        images: Decodes frames.
        blur: Whether faces are pixelated.
        waits: Whether no frame may be left out.
    """

    def __init__(self, spec: ModelSpec, images: FrameImages, *, blur: bool, waits: bool) -> None:
        self._spec, self._images, self._blur = spec, images, blur
        self._scores: dict[int, float] = {}
        self._found: dict[int, Example] = {}
        self._worker = Worker(self._keep, limit=_WAITING, waits=waits)

    def add(self, seen: Observation) -> None:
        """Look for better examples in a frame."""
        for face in seen.faces:
            if face.raw is not None and self._is_better(face):
                self._scores[face.id] = face.steady.score
                self._worker.put((seen, face))

    def take(self, wait_s: float | None) -> dict[int, Example]:
        """Return the examples by the number of the face; call it once, at the end."""
        self._worker.finish(wait_s)
        return self._found

    def _is_better(self, face: TrackedFace) -> bool:
        if face.id not in self._scores:
            return len(self._scores) < 2 * MAX_FACES
        return face.steady.score > self._scores[face.id] + _BETTER

    def _keep(self, item: tuple[Observation, TrackedFace]) -> None:
        from edgeemo.imaging.faces import crop_face

        seen, face = item
        try:
            image = self._images.take(seen.frame)
            if self._blur:
                pixelate_faces(image, find_boxes(seen).values())
            if face.raw and face.raw.face:
                image = crop_face(image, face.raw.face, replace(self._spec, channels=3))
        except ImageError:
            return
        caption = f"{face.steady.label} {face.steady.score:.2f}"
        self._found[face.id] = Example(encode_thumbnail(image, _SIDE), caption)
