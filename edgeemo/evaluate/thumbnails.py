"""Thumbnails of photos with the predicted face marked. Pillow alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from edgeemo.errors import ImageError
from edgeemo.imaging.decode import open_image
from edgeemo.imaging.preprocess import decode
from edgeemo.model.input_spec import InputSpec
from edgeemo.report.thumbnail import encode_thumbnail, fit_image

if TYPE_CHECKING:
    from pathlib import Path

SIDE = 160
"""Longer side of a thumbnail, in pixels."""

_INPUT = InputSpec(height=2 * SIDE, width=2 * SIDE, channels=3)
_MARK = "#ffb000"


def make_thumbnail(path: Path, box: tuple[int, int, int, int] | None) -> bytes:
    """Return a thumbnail of an image as the bytes of a JPEG or PNG file.

    Args:
        path: The image; one that cannot be read any more is white.
        box: Left, top, width and height of the predicted face, in pixels of the upright image; None
            where the image was taken whole.
    """
    try:
        with open_image(path) as opened:
            photo, width = decode(opened, _INPUT), opened.size[0]
    except (OSError, ImageError):  # it could be read a moment ago
        return encode_thumbnail(Image.new("RGB", (SIDE, SIDE), "white"), SIDE)
    if box is None:
        return encode_thumbnail(photo, SIDE)
    small = fit_image(photo, SIDE)
    _mark(small, box, small.width / width)
    return encode_thumbnail(small, SIDE)


def _mark(image: Image.Image, box: tuple[int, int, int, int], scale: float) -> None:
    left, top, width, height = (round(each * scale) for each in box)
    corners = (left, top, left + max(width, 2), top + max(height, 2))
    ImageDraw.Draw(image).rectangle(corners, outline=_MARK, width=2)
