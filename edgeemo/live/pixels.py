"""Pixels of frames that come as JPEG files, as images, or as planes of brightness and colour."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.imaging.decode import open_image
from edgeemo.imaging.preprocess import decode

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    from edgeemo.model.input_spec import InputSpec

_LUMA_SIZE = (160, 120)
"""Width and height, in pixels, that suffice for the brightness of a JPEG."""


class JpegPixels:
    """A frame that is a JPEG file: decoded as ``edgeemo predict`` decodes it, to the same bits.

    Args:
        jpeg: Content of the file; another image format is decoded as well.
    """

    def __init__(self, jpeg: bytes) -> None:
        self._content = jpeg

    @property
    def jpeg(self) -> bytes | None:
        """Return the file, where it is a JPEG."""
        return self._content if self._content.startswith(b"\xff\xd8\xff") else None

    @cached_property
    def size(self) -> tuple[int, int]:
        """Return width and height in pixels, upright.

        Raises:
            ImageError: If the frame is damaged.
        """
        with open_image(self._content) as opened:
            return opened.size

    def decode(self, spec: InputSpec | None = None) -> Image.Image:
        """See `edgeemo.live.frame.FramePixels.decode`."""
        with open_image(self._content) as opened:
            return opened.decode(grey=False) if spec is None else decode(opened, spec)

    def luma(self) -> NDArray[np.uint8]:
        """See `edgeemo.live.frame.FramePixels.luma`."""
        with open_image(self._content) as opened:
            return np.asarray(opened.decode(grey=True, min_size=_LUMA_SIZE))


class ImagePixels:
    """A frame that is an image already.

    Args:
        image: Upright, mode "RGB" or "L".
    """

    jpeg = None

    def __init__(self, image: Image.Image) -> None:
        self._image = image

    @property
    def size(self) -> tuple[int, int]:
        """Return width and height in pixels."""
        return self._image.size

    def decode(self, spec: InputSpec | None = None) -> Image.Image:
        """See `edgeemo.live.frame.FramePixels.decode`."""
        if spec is None:
            return self._image.convert("RGB")
        with open_image(self._image) as opened:
            return decode(opened, spec)

    def luma(self) -> NDArray[np.uint8]:
        """See `edgeemo.live.frame.FramePixels.luma`."""
        return np.asarray(self._image.convert("L"))
