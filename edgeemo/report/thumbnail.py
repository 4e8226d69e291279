"""An image fitted into a small square, the same on a contact sheet and on a page. Pillow alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def as_rgb(image: Image.Image | NDArray[np.uint8]) -> Image.Image:
    """A copy of an image in RGB, on white where it is transparent.

    Args:
        image: A Pillow image, or an (H, W, C) uint8 array, C being 1 (grey) or 3 (RGB).
    """
    if not isinstance(image, Image.Image):
        image = Image.fromarray(image[..., 0] if image.shape[2] == 1 else image)
    if not image.has_transparency_data:
        return image.convert("RGB")
    seen = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen).convert("RGB")


def fitted(image: Image.Image | NDArray[np.uint8], side: int) -> Image.Image:
    """An image in RGB, whose longer side is at most `side` pixels.

    A smaller one is enlarged by a whole factor, pixel by pixel, so that one sees what a network
    sees; a larger one is reduced.

    Args:
        image: As in `as_rgb`.
        side: At least 1.
    """
    rgb = as_rgb(image)
    longer = max(rgb.size)
    if longer <= side:
        factor = side // longer
        return rgb.resize((rgb.width * factor, rgb.height * factor), Image.Resampling.NEAREST)
    width, height = (max(1, round(length * side / longer)) for length in rgb.size)
    return rgb.resize((width, height), Image.Resampling.LANCZOS)
