"""Images fitted into small squares, for contact sheets and pages. Pillow alone."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PALETTE = 256
_QUALITY = 82  # of a JPEG: a thumbnail of 160 pixels takes some 6 kB


def to_rgb(image: Image.Image | NDArray[np.uint8] | bytes) -> Image.Image:
    """Return a copy of an image in RGB, on white where it is transparent.

    Args:
        image: As in `edgeemo.report.document.Tile`.
    """
    if isinstance(image, bytes):
        image = Image.open(io.BytesIO(image))
    elif not isinstance(image, Image.Image):
        image = Image.fromarray(image[..., 0] if image.shape[2] == 1 else image)
    if not image.has_transparency_data:
        return image.convert("RGB")
    shown = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", shown.size, "white"), shown).convert("RGB")


def fit_image(image: Image.Image | NDArray[np.uint8] | bytes, side: int) -> Image.Image:
    """Return an image in RGB whose longer side is at most `side` pixels.

    A smaller image is enlarged by a whole factor with nearest-neighbour resampling, which shows the
    pixels that the network sees; a larger one is reduced.

    Args:
        image: As in `edgeemo.report.document.Tile`.
        side: At least 1.
    """
    rgb = to_rgb(image)
    longer = max(rgb.size)
    if longer <= side:
        factor = side // longer
        return rgb.resize((rgb.width * factor, rgb.height * factor), Image.Resampling.NEAREST)
    width, height = (max(1, round(length * side / longer)) for length in rgb.size)
    return rgb.resize((width, height), Image.Resampling.LANCZOS)


def encode_thumbnail(image: Image.Image | NDArray[np.uint8], side: int) -> bytes:
    """Return a small image as the bytes of a PNG file if it was enlarged, else of a JPEG file.

    An image of which at least two would fit side by side is enlarged as by `fit_image`.

    Args:
        image: A Pillow image, or an (H, W, C) uint8 array with C of 1 (grey) or 3 (RGB).
        side: Greatest length of the longer side in pixels; at least 1.
    """
    small = fit_image(image, side)
    is_enlarged = 2 * max(image.size if isinstance(image, Image.Image) else image.shape) <= side
    if not is_enlarged:
        return encode_jpeg(small)
    return encode_palette(small) if small.getcolors(_PALETTE) else _encode(small, "png")


def encode_jpeg(image: Image.Image) -> bytes:
    """Return an RGB image as the bytes of a JPEG file."""
    return _encode(image, "jpeg", quality=_QUALITY)


def encode_palette(image: Image.Image) -> bytes:
    """Return an RGB image as the bytes of a PNG file of at most 256 colours."""
    return _encode(image.quantize(_PALETTE, dither=Image.Dither.NONE), "png")


def _encode(image: Image.Image, format: str, **options: int) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format=format, optimize=True, **options)
    return stream.getvalue()
