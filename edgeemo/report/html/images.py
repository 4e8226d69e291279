"""Images as data URIs. Pillow alone."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from PIL import Image

from edgeemo.report.thumbnail import encode_jpeg, encode_palette, encode_thumbnail, to_rgb

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

_COLOURS = 4096
"""Greatest number of colours of a plot; a photo has more."""


def embed_thumbnail(image: Image.Image | NDArray[np.uint8] | bytes, side: int) -> str:
    """Return a small image as a data URI.

    Args:
        image: As in `edgeemo.report.document.Tile`; bytes are taken as they are.
        side: Greatest length of the longer side in pixels; at least 1.
    """
    return _embed(image if isinstance(image, bytes) else encode_thumbnail(image, side))


def embed_plot(path: Path) -> str:
    """Return an image file as a data URI.

    A drawing becomes a PNG of at most 256 colours, less than half as large as before; a photo
    becomes a JPEG.
    """
    with Image.open(path) as image:
        rgb = to_rgb(image)
    return _embed(encode_palette(rgb) if rgb.getcolors(_COLOURS) else encode_jpeg(rgb))


def _embed(content: bytes) -> str:
    kind = "png" if content.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
