"""Images as data URIs, so that a page holds them itself. Pillow alone."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

from PIL import Image

from edgeemo.report.thumbnail import as_rgb, fitted

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

_PALETTE = 256
_COLOURS = 4096  # in a plot there are fewer, in a photograph more
_QUALITY = 82  # of a JPEG: a thumbnail of 160 pixels takes some 6 kB


def thumbnail(image: Image.Image | NDArray[np.uint8], side: int) -> str:
    """A small image as a data URI.

    An image of which at least two would fit side by side is enlarged by a whole factor, pixel by
    pixel; a larger one is reduced.

    Args:
        image: A Pillow image, or an (H, W, C) uint8 array, C being 1 (grey) or 3 (RGB).
        side: Pixels of the longer side, at most; at least 1.
    """
    small = fitted(image, side)
    enlarged = 2 * max(image.size if isinstance(image, Image.Image) else image.shape) <= side
    if not enlarged:
        return _jpeg(small)
    return _few_colours(small) if small.getcolors(_PALETTE) else _png(small)


def figure(path: Path) -> str:
    """An image file, such as a plot, as a data URI.

    A plot becomes a PNG of at most 256 colours, less than half as large as before; what has the
    colours of a photograph becomes a JPEG.
    """
    with Image.open(path) as image:
        rgb = as_rgb(image)
    return _few_colours(rgb) if rgb.getcolors(_COLOURS) else _jpeg(rgb)


def _few_colours(image: Image.Image) -> str:
    return _png(image.quantize(_PALETTE, dither=Image.Dither.NONE))


def _png(image: Image.Image) -> str:
    return _uri(image, "png", optimize=True)


def _jpeg(image: Image.Image) -> str:
    return _uri(image, "jpeg", quality=_QUALITY, optimize=True)


def _uri(image: Image.Image, format: str, **options: int | bool) -> str:
    stream = io.BytesIO()
    image.save(stream, format=format, **options)
    content = base64.b64encode(stream.getvalue()).decode()
    return f"data:image/{format};base64,{content}"
