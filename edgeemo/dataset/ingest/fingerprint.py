"""Perceptual hash and thumbnail of an image, by which near-duplicates are found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from edgeemo.utils.extras import IMAGES, require_packages

if TYPE_CHECKING:
    from numpy.typing import NDArray

THUMBNAIL_SIDE = 16
"""Side of the thumbnail on which near-duplicates are confirmed, in pixels."""


def require_libraries() -> None:
    """Check that the libraries of hashes and near-duplicates are installed, before any slow work.

    Raises:
        MissingExtraError: If one is not.
    """
    require_packages(IMAGES, purpose="preparing images")


def compute_perceptual_hash(pixels: NDArray[np.uint8]) -> bytes:
    """Return the 64 bits of the perceptual hash as 8 bytes; similar images differ in few bits.

    Args:
        pixels: Shape (64, 64), uint8, grey values.
    """
    import imagehash

    return np.packbits(imagehash.phash(Image.fromarray(pixels)).hash).tobytes()


def make_thumbnail(pixels: NDArray[np.uint8]) -> bytes:
    """Return the grey values of an image reduced to 16x16, row by row, as 256 bytes.

    Args:
        pixels: Shape (64, 64), uint8, grey values.
    """
    side = (THUMBNAIL_SIDE, THUMBNAIL_SIDE)
    return Image.fromarray(pixels).resize(side, Image.Resampling.BOX).tobytes()
