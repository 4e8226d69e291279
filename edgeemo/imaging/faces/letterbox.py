"""An image in the middle of a black square, as the face detection networks read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from edgeemo.imaging.decode import stretch

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEFT_OVER = 1.5  # times the final size, after shrinking by whole numbers


class Square(NamedTuple):
    """A square that shows an image.

    Attributes:
        pixels: (side, side, 3) uint8 RGB, black beside the image.
        left: The image's left edge, in pixels of the square.
        top: The image's upper edge.
        scale: Pixels of the image per pixel of the square.
    """

    pixels: NDArray[np.uint8]
    left: float
    top: float
    scale: float


class Letterbox:
    """An image that is shrunk into squares, once for each side.

    Args:
        image: Upright, mode "RGB".
    """

    def __init__(self, image: Image.Image) -> None:
        self._image = image
        self._squares: dict[int, Square] = {}

    def shrink(self, side: int) -> Square:
        """Return the image in the middle of a square of `side` pixels."""
        if side not in self._squares:
            self._squares[side] = self._shrink(side)
        return self._squares[side]

    def shrink_with_border(self, side: int, border: float) -> Square:
        """Return the image with a black border, in the middle of a square of `side` pixels.

        It is made of the square without a border, which costs next to nothing.

        Args:
            side: Side of the square.
            border: Width of the border on each side, as a share of the image's longer side.
        """
        plain = self.shrink(side)
        inner = round(side / (1 + 2 * border))
        edge, factor = (side - inner) // 2, inner / side
        pixels = np.zeros_like(plain.pixels)
        small = stretch(Image.fromarray(plain.pixels), inner, inner)
        pixels[edge : edge + inner, edge : edge + inner] = np.asarray(small)
        left, top = (edge + start * factor for start in (plain.left, plain.top))
        return Square(pixels, left, top, plain.scale / factor)

    def _shrink(self, side: int) -> Square:
        scale = max(self._image.size) / side
        width, height = (min(side, max(1, round(each / scale))) for each in self._image.size)
        left, top = (side - width) // 2, (side - height) // 2
        pixels = np.zeros((side, side, 3), np.uint8)
        small = np.asarray(_shrink_in_steps(self._image, width, height))
        pixels[top : top + height, left : left + width] = small
        return Square(pixels, left, top, scale)


def _shrink_in_steps(image: Image.Image, width: int, height: int) -> Image.Image:
    """Shrink by a whole number per axis, which is cheap, and then with bilinear filtering."""
    factors = (
        max(1, int(image.width / (width * _LEFT_OVER))),
        max(1, int(image.height / (height * _LEFT_OVER))),
    )
    return stretch(image if factors == (1, 1) else image.reduce(factors), width, height)
