"""A face's bounding box, the detectors' protocol, and the crop of a face."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from edgeemo.model.spec import InputSpec


class Face(NamedTuple):
    """A face's bounding box, in pixels of the image, beyond which it may reach.

    The box is a square from above the brows to the chin, as FER2013 crops faces, for every
    detector.

    Attributes:
        left: Distance from the image's left edge.
        top: Distance from the image's upper edge.
        side: Width and height of the box.
    """

    left: int
    top: int
    side: int

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Return left, top, width and height, in pixels."""
        return self.left, self.top, self.side, self.side

    @property
    def text(self) -> str:
        """Return the box as an X geometry: "96x96+12+30"."""
        return f"{self.side}x{self.side}{self.left:+}{self.top:+}"

    def scale(self, factor: float) -> Face:
        """Return the same face in an image that is `factor` times as large."""
        return Face(
            round(self.left * factor), round(self.top * factor), max(1, round(self.side * factor))
        )


class FaceDetector(Protocol):
    """A face detector, which several threads may use at the same time."""

    def detect(self, image: Image.Image) -> tuple[Face, ...]:
        """Return the faces in an image, the largest first.

        Args:
            image: Upright, mode "RGB".
        """


def sort_by_size(faces: list[Face]) -> tuple[Face, ...]:
    """Sort faces by size, the largest first; of equals the leftmost, then the uppermost, first."""
    return tuple(sorted(faces, key=lambda face: (-face.side, face.left, face.top)))


def crop_face(image: Image.Image, face: Face, spec: InputSpec) -> Image.Image:
    """Crop a face and its margin, as large as they are in the image.

    Args:
        image: Upright, mode "RGB".
        face: In this image's pixels.
        spec: The margin and the channels.

    Returns:
        A square of mode "L" or "RGB". Where it reaches beyond the image, it is filled with the
        image's outermost pixels.
    """
    margin = round(face.side * spec.faces.margin) if spec.faces else 0
    side = max(1, face.side + 2 * margin)
    left, top = face.left - margin, face.top - margin
    inside = image.crop(
        (
            min(max(left, 0), image.width - 1),
            min(max(top, 0), image.height - 1),
            max(1, min(left + side, image.width)),
            max(1, min(top + side, image.height)),
        )
    )
    if spec.channels == 1:
        inside = inside.convert("L")
    if inside.size == (side, side):
        return inside
    before = max(0, -top), max(0, -left)
    pad = [
        (before[0], side - before[0] - inside.height),
        (before[1], side - before[1] - inside.width),
    ]
    pixels = np.asarray(inside)
    return Image.fromarray(np.pad(pixels, [*pad, (0, 0)][: pixels.ndim], mode="edge"))
