"""The part of a decoded image in which traces of processing are looked for."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from edgeemo.dataset.processing.jpeg_traces import BLOCK, UNCOMPRESSED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgeemo.imaging.decode import OpenedImage

MAX_PIXELS = 2**16
"""Greatest number of pixels of an image that is measured at its full size. A larger one is reduced
before a network reads it, so only its histogram is measured."""

_SIDE = 48  # of the patch, in pixels
_LOSSLESS = ("PNG", "BMP")
_NOTHING = np.zeros((1, 256))  # `complete_sample` counts
_FEW_COLOURS = ("1", "P")


@dataclass(frozen=True, slots=True)
class ImageSample:
    """The pixels of an image that are measured.

    Attributes:
        counts: Shape (R, 256), number of pixels of each level: of grey, then of green where that
            is measured as well.
        table: The file's quantisation table of luminance, or `UNCOMPRESSED`.
        is_lossless: Whether the file keeps grey levels exactly.
        patch: Shape (H, W), uint8, the grey middle; None where the image is reduced.
        is_complete: Whether `complete_sample` has nothing to add: the image is not one that is
            small enough for a patch, but was decoded reduced.
    """

    counts: NDArray[np.float64]
    table: bytes
    is_lossless: bool
    patch: NDArray[np.uint8] | None
    is_complete: bool


def take_sample(
    decoded: Image.Image, opened: OpenedImage, *, mode: str, size: tuple[int, int]
) -> ImageSample | None:
    """Return the part of an image that is measured.

    Args:
        decoded: The image, upright, mode "L".
        opened: The file that it was decoded from.
        mode: Colour mode of the file.
        size: Width and height that the file holds, in pixels, in any order.

    Returns:
        None for an image with a palette, whose few colours say nothing about a camera.
    """
    if mode in _FEW_COLOURS:
        return None
    is_small = size[0] * size[1] <= MAX_PIXELS
    is_whole = sorted(decoded.size) == sorted(size)
    is_complete = is_whole or not is_small
    return ImageSample(
        counts=_count_levels(decoded) if is_complete else _NOTHING,
        table=_get_table(opened),
        is_lossless=opened.format in _LOSSLESS,
        patch=_cut_patch(decoded) if is_small and is_whole else None,
        is_complete=is_complete,
    )


def complete_sample(sample: ImageSample, opened: OpenedImage) -> ImageSample:
    """Return the sample with the patch and the levels that it lacks.

    Args:
        sample: A sample of a JPEG file that was decoded reduced.
        opened: The file, opened again.

    Raises:
        ImageError: If the image is damaged.
    """
    whole = opened.decode(grey=True, min_size=opened.size)
    return replace(sample, counts=_count_levels(whole), patch=_cut_patch(whole), is_complete=True)


def add_green(sample: ImageSample, rgb: Image.Image) -> ImageSample:
    """Return the sample with the levels of green: grey mixes three channels, which hides gaps.

    Args:
        sample: A sample of a lossless file.
        rgb: The image, mode "RGB".
    """
    green = _count_levels(_thin_out(rgb).getchannel("G"))
    return replace(sample, counts=np.concatenate([sample.counts, green]))


def _get_table(opened: OpenedImage) -> bytes:
    table = opened.quantization
    if table is None:
        return UNCOMPRESSED
    return bytes(table if 0 < min(table) <= max(table) < 256 else np.clip(table, 1, 255).tolist())


def _count_levels(image: Image.Image) -> NDArray[np.float64]:
    return np.array([_thin_out(image).histogram()], np.float64)


def _thin_out(image: Image.Image) -> Image.Image:
    """Return some of the pixels of a large image, with the levels that they have."""
    step = math.ceil(math.sqrt(image.width * image.height / MAX_PIXELS))
    if step == 1:
        return image
    size = (math.ceil(image.width / step), math.ceil(image.height / step))
    return image.resize(size, Image.Resampling.NEAREST)


def _cut_patch(image: Image.Image) -> NDArray[np.uint8]:
    """Return the middle, which begins at a multiple of `BLOCK`."""
    left, top = (max(side - _SIDE, 0) // 2 // BLOCK * BLOCK for side in image.size)
    return np.asarray(image)[top : top + _SIDE, left : left + _SIDE].copy()
