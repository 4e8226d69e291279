"""Golden images: a few small drawn image files of every kind that matters to decoding.

Drawn, so that they may travel with a model; the answers to them are compared wherever it runs.
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
    """Draw image files: JPEG and PNG, colour and grey, turned, transparent, odd, large.

    Args:
        count: Number of images; every kind occurs from 10 on.
        seed: The same seed gives the same bytes with the same version of Pillow.

    Returns:
        The files' contents. One in ten is larger than 1000 pixels, so that JPEG's scaled decoding
        has something to do; together they stay below 50 kB an image on average.
    """
    return [_draw_golden(number, seed) for number in range(count)]


def _draw_golden(number: int, seed: int) -> bytes:
    rng = np.random.default_rng([seed, number])
    size, write = _KINDS[number % len(_KINDS)]
    mood = MOODS[(number + number // len(_KINDS)) % len(MOODS)]
    image = draw_image(rng, mood, size=min(*size, 256))
    return write(image.resize(size, Image.Resampling.BILINEAR))


def _jpeg(image: Image.Image) -> bytes:
    return encode_image(image, "JPEG", quality=85)


def _large_jpeg(image: Image.Image) -> bytes:
    return encode_image(image, "JPEG", quality=40)


def _grey_jpeg(image: Image.Image) -> bytes:
    return encode_image(image.convert("L"), "JPEG", quality=85)


def _full_colour_jpeg(image: Image.Image) -> bytes:
    return encode_image(image, "JPEG", quality=90, subsampling=0, progressive=True)


def _turned_jpeg(image: Image.Image) -> bytes:
    """Stored lying on its side, with the EXIF tag that tells a viewer to turn it upright."""
    exif = Image.Exif()
    exif[_ORIENTATION] = 6
    return encode_image(image.transpose(Image.Transpose.ROTATE_90), "JPEG", quality=85, exif=exif)


def _png(image: Image.Image) -> bytes:
    return encode_image(image, "PNG")


def _grey_png(image: Image.Image) -> bytes:
    return encode_image(image.convert("L"), "PNG")


def _deep_png(image: Image.Image) -> bytes:
    """Grey with 16 bits a pixel."""
    deep = np.asarray(image.convert("L")).astype(np.uint16) * 257
    return encode_image(Image.fromarray(deep), "PNG")


def _transparent_png(image: Image.Image) -> bytes:
    alpha = Image.linear_gradient("L").resize(image.size)
    image.putalpha(alpha)
    return encode_image(image, "PNG")


def _palette_png(image: Image.Image) -> bytes:
    return encode_image(image.quantize(64), "PNG")


_KINDS: tuple[tuple[tuple[int, int], Callable[[Image.Image], bytes]], ...] = (
    ((160, 160), _jpeg),
    ((128, 128), _png),
    ((1200, 1024), _large_jpeg),
    ((97, 131), _grey_jpeg),
    ((200, 150), _turned_jpeg),
    ((96, 120), _transparent_png),
    ((131, 97), _grey_png),
    ((120, 96), _palette_png),
    ((333, 251), _full_colour_jpeg),
    ((64, 64), _deep_png),
)
