"""Colours: from any mode of an image file to grey or RGB, as a viewer shows them.

Transparency, colour profile and depth are handled here. A large image is converted in bands of
rows, so that its memory is its own and the result's, and little more.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from edgeemo.imaging.limits import BAND_PIXELS

if TYPE_CHECKING:
    from collections.abc import Callable

_LIKE_RGB = ("P", "RGBX")
_WITH_ALPHA = ("LA", "La", "PA", "RGBA", "RGBa")


def convert(image: Image.Image, mode: str) -> Image.Image:
    """Return the image in mode "L" or "RGB", as a viewer shows it; itself where it is so already.

    Args:
        image: An image of any mode, not changed.
        mode: "L" for grey (ITU-R 601-2 luma, as Pillow computes it), or "RGB".
    """
    transform = _build_transform(image)
    if image.mode == mode and transform is None and not has_transparency(image):
        return image
    rows = max(1, BAND_PIXELS // image.width)
    if image.height <= rows:
        return _convert_band(image, mode, transform)
    converted = Image.new(mode, image.size)
    for top in range(0, image.height, rows):
        band = image.crop((0, top, image.width, min(top + rows, image.height)))
        converted.paste(_convert_band(band, mode, transform), (0, top))
    return converted


def has_transparency(image: Image.Image) -> bool:
    """Return Pillow's `has_transparency_data`, which 9.4 of Debian 12 lacks; 10.1 has it."""
    if image.mode in _WITH_ALPHA or "transparency" in image.info:
        return True
    return image.palette is not None and image.palette.mode.endswith("A")


def is_deep(image: Image.Image) -> bool:
    """Return whether the image is grey of more than 8 bits."""
    return image.mode in ("I", "F") or image.mode.startswith("I;16")


def _convert_band(
    image: Image.Image, mode: str, transform: Callable[[Image.Image], Image.Image] | None
) -> Image.Image:
    if is_deep(image):
        image = _reduce_depth(image)
    elif has_transparency(image):
        image = _lay_over_white(image, transform)
    else:
        image = image.convert("RGB") if image.mode in _LIKE_RGB else image
        image = transform(image) if transform else image
    return image if image.mode == mode else image.convert(mode)


def _reduce_depth(image: Image.Image) -> Image.Image:
    """Scale, not clip, deep grey to 8 bits."""
    values = np.asarray(image)
    if image.mode == "F":
        values = np.nan_to_num(values)
    deep = values.clip(0, 65535).astype(np.uint32)
    return Image.fromarray(((deep * 255 + 32767) // 65535).astype(np.uint8))


def _lay_over_white(
    image: Image.Image, transform: Callable[[Image.Image], Image.Image] | None
) -> Image.Image:
    rgba = image.convert("RGBA")
    rgb = rgba.convert("RGB")
    white = Image.new("RGB", image.size, "white")
    white.paste(transform(rgb) if transform else rgb, mask=rgba.getchannel("A"))
    return white


def _build_transform(image: Image.Image) -> Callable[[Image.Image], Image.Image] | None:
    """Return the way from the embedded ICC profile to sRGB; None where there is nothing to do.

    A broken or unfitting profile is ignored, as viewers do.
    """
    profile = image.info.get("icc_profile")
    if is_deep(image) or not profile:
        return None
    if b"sRGB" in profile or "sRGB".encode("utf-16-be") in profile:
        return None
    from PIL import ImageCms  # most images carry no profile

    mode = "RGB" if image.mode in _LIKE_RGB or has_transparency(image) else image.mode
    try:
        built: Any = ImageCms.buildTransform(
            io.BytesIO(profile), ImageCms.createProfile("sRGB"), mode, "RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None

    def transform(band: Image.Image) -> Image.Image:
        try:
            return ImageCms.applyTransform(band, built) or band
        except (ImageCms.PyCMSError, OSError, ValueError):
            return band

    return transform
