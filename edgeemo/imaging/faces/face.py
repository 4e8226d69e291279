"""Where a face is, and what is cropped of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from edgeemo.model.spec import ModelSpec


@dataclass(frozen=True, slots=True)
class Face:
    """Where a face is, in pixels of the image, which may end within the face's frame.

    The frame is a square from above the brows to the chin, as FER2013 crops faces, whichever
    detector found it.

    Attributes:
        left: From the image's left edge.
        top: From the image's upper edge.
        side: Width and height of the frame.
    """

    left: int
    top: int
    side: int

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, width and height, in pixels."""
        return self.left, self.top, self.side, self.side

    @property
    def text(self) -> str:
        """Where it is, for a person, as X tells a window's place: "96x96+12+30"."""
        return f"{self.side}x{self.side}{self.left:+}{self.top:+}"

    def scaled(self, factor: float) -> Face:
        """The same face in an image that is `factor` times as large."""
        return Face(
            round(self.left * factor), round(self.top * factor), max(1, round(self.side * factor))
        )


class FaceFinder(Protocol):
    """What finds faces; several threads may use one."""

    def find(self, image: Image.Image) -> tuple[Face, ...]:
        """The faces in an image, the largest first.

        Args:
            image: Upright, mode "RGB".
        """


def largest_first(faces: list[Face]) -> tuple[Face, ...]:
    """Faces in the order of their size; of equals the leftmost, then the uppermost, first."""
    return tuple(sorted(faces, key=lambda face: (-face.side, face.left, face.top)))


def cropped(image: Image.Image, face: Face, spec: ModelSpec) -> Image.Image:
    """A face and its margin, as large as they are in the image.

    Args:
        image: Upright, mode "RGB".
        face: In this image's pixels.
        spec: Gives the margin and the channels.

    Returns:
        A square of mode "L" or "RGB"; where it reaches beyond the image, the image's outermost
        pixels go on.
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
