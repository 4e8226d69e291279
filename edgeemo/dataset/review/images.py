"""Images of a review as JPEG files, within the limits of every image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image

from edgeemo.imaging.decode import open_image
from edgeemo.report.thumbnail import encode_jpeg

if TYPE_CHECKING:
    from pathlib import Path


def encode_image(path: Path, side: int) -> bytes:
    """Return an image as a JPEG file whose longer side is `side` pixels.

    A small one is enlarged smoothly: a person judges the face, not the pixels.

    Args:
        path: The image.
        side: At least 1.

    Raises:
        ImageError: If it cannot be decoded.
        OSError: If it cannot be read.
    """
    with open_image(path.read_bytes()) as opened:
        decoded = opened.decode(grey=False, min_size=(side, side))
    scale = side / max(decoded.size)
    width, height = (max(1, round(length * scale)) for length in decoded.size)
    return encode_jpeg(decoded.resize((width, height), Image.Resampling.LANCZOS))
