"""The image that is measured where nobody names one: drawn, the same bytes everywhere."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 640, 480
_COARSE, _FINE = 12, 96
_GRAIN = 6
_QUALITY = 85


def camera_frame(width: int = WIDTH, height: int = HEIGHT) -> bytes:
    """A JPEG with as much in it as a camera's: large and small shapes, and grain.

    How long decoding takes depends on how much there is to decode: a smooth drawing of 640x480 has
    20 kB, a photograph 50 to 90 kB.

    Args:
        width: In pixels.
        height: In pixels.

    Returns:
        The file's bytes; the same with the same version of Pillow's JPEG library.
    """
    rng, size = np.random.default_rng(0), (width, height)
    shapes = (_blobs(rng, _COARSE, size) * 2 + _blobs(rng, _FINE, size)) / 3
    grain = rng.integers(-_GRAIN, _GRAIN + 1, (height, width, 3))
    pixels = (shapes + grain).clip(0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()


def _blobs(rng: np.random.Generator, columns: int, size: tuple[int, int]) -> np.ndarray:
    """Random colours on a coarse grid, blown up to a size: (height, width, 3)."""
    width, height = size
    grid = Image.fromarray(
        rng.integers(0, 256, (columns * height // width, columns, 3)).astype(np.uint8)
    )
    return np.asarray(grid.resize(size, Image.Resampling.BICUBIC)).astype(np.int64)
