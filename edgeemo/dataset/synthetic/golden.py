"""Golden images: small drawn image files of every kind that decoding has to handle.

They are drawn so that a model may include them; its predictions for them are compared on every
device.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from edgeemo.dataset.synthetic.draw import MOODS, draw_image, encode_image

if TYPE_CHECKING:
    from collections.abc import Callable

_ORIENTATION = 0x0112


def draw_golden_images(*, count: int = 16, seed: int = 0) -> list[bytes]:
    """Draw image files: JPEG and PNG, colour and grey, rotated, transparent, palette, large.

    Args:
        count: Number of images; 10 or more include every kind.
        seed: The same seed gives the same bytes with the same version of Pillow.

    Returns:
        Content of the files. One in ten is larger than 1000 pixels, for JPEG's scaled decoding;
        the average is below 50 kB per image.
    """
    return [_draw_golden(number, seed) for number in range(count)]


def _draw_golden(number: int, seed: int) -> bytes:
    rng = np.random.default_rng([seed, number])
    size, write = _KINDS[number % len(_KINDS)]
    mood = MOODS[(number + number // len(_KINDS)) % len(MOODS)]
    image = draw_image(rng, mood, size=min(*size, 256))
    return write(image.resize(size, Image.Resampling.BILINEAR))


def _encode_jpeg(image: Image.Image) -> bytes:
    return encode_image(image, "JPEG", quality=85)


def _encode_large_jpeg(image: Image.Image) -> bytes:
    return encode_image(image, "JPEG", quality=40)


def _encode_grey_jpeg(image: Image.Image) -> bytes:
    return encode_image(image.convert("L"), "JPEG", quality=85)


def _encode_full_colour_jpeg(image: Image.Image) -> bytes:
    return encode_image(image, "JPEG", quality=90, subsampling=0, progressive=True)


def _encode_rotated_jpeg(image: Image.Image) -> bytes:
    """Encode an image that is stored on its side, with the EXIF tag that rotates it upright."""
    exif = Image.Exif()
    exif[_ORIENTATION] = 6
    return encode_image(image.transpose(Image.Transpose.ROTATE_90), "JPEG", quality=85, exif=exif)


def _encode_png(image: Image.Image) -> bytes:
    return encode_image(image, "PNG")


def _encode_grey_png(image: Image.Image) -> bytes:
    return encode_image(image.convert("L"), "PNG")


def _encode_deep_png(image: Image.Image) -> bytes:
    """Encode a grey image with 16 bits per pixel."""
    deep = np.asarray(image.convert("L")).astype(np.uint16) * 257
    return encode_image(Image.fromarray(deep), "PNG")


def _encode_transparent_png(image: Image.Image) -> bytes:
    alpha = Image.linear_gradient("L").resize(image.size)
    image.putalpha(alpha)
    return encode_image(image, "PNG")


def _encode_palette_png(image: Image.Image) -> bytes:
    return encode_image(image.quantize(64), "PNG")


_KINDS: tuple[tuple[tuple[int, int], Callable[[Image.Image], bytes]], ...] = (
    ((160, 160), _encode_jpeg),
    ((128, 128), _encode_png),
    ((1200, 1024), _encode_large_jpeg),
    ((97, 131), _encode_grey_jpeg),
    ((200, 150), _encode_rotated_jpeg),
    ((96, 120), _encode_transparent_png),
    ((131, 97), _encode_grey_png),
    ((120, 96), _encode_palette_png),
    ((333, 251), _encode_full_colour_jpeg),
    ((64, 64), _encode_deep_png),
)
