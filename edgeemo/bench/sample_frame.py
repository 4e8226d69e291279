"""The default image of a benchmark: a drawn camera frame, the same bytes everywhere."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 640, 480
_COARSE, _FINE = 12, 96
_GRAIN = 6
_QUALITY = 85


def draw_camera_frame(width: int = WIDTH, height: int = HEIGHT) -> bytes:
    """Draw a JPEG with as much detail as a camera's: large and small shapes, and grain.

    The time to decode depends on the amount of detail: a smooth drawing of 640x480 has 20 kB, a
    photograph 50 to 90 kB.

    Args:
        width: In pixels.
        height: In pixels.

    Returns:
        The file's bytes; the same with the same version of Pillow's JPEG library.
    """
    rng, size = np.random.default_rng(0), (width, height)
    shapes = (_draw_blobs(rng, _COARSE, size) * 2 + _draw_blobs(rng, _FINE, size)) / 3
    grain = rng.integers(-_GRAIN, _GRAIN + 1, (height, width, 3))
    pixels = (shapes + grain).clip(0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()


def _draw_blobs(rng: np.random.Generator, columns: int, size: tuple[int, int]) -> np.ndarray:
    """Draw random colours on a coarse grid, enlarged to a size: (height, width, 3) int64."""
    width, height = size
    grid = Image.fromarray(
        rng.integers(0, 256, (columns * height // width, columns, 3)).astype(np.uint8)
    )
    return np.asarray(grid.resize(size, Image.Resampling.BICUBIC)).astype(np.int64)
