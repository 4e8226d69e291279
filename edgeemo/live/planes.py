"""Pixels as planes of brightness and colour (YUV 4:2:0), as a Raspberry Pi's camera gives them.

The brightness is there at once; the conversion to RGB waits until somebody looks. Values are those
of JPEG (full range, ITU-R BT.601), which ``rpicam-vid`` chooses for this format.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from edgeemo.imaging.decode import open_image
from edgeemo.imaging.preprocess import decode, find_min_size

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgeemo.model.input_spec import InputSpec


@dataclass(frozen=True, kw_only=True)
class PlaneLayout:
    """Layout of the bytes of a frame: Y, then U and V with half the width and half the height.

    Attributes:
        size: Width and height, in pixels, of the frame that is shown.
        stride: Bytes of a line of Y, those beside the frame included; even.
    """

    size: tuple[int, int]
    stride: int

    @property
    def lines(self) -> int:
        """Return the number of lines of Y, which is even."""
        return self.size[1] + self.size[1] % 2

    @property
    def frame_bytes(self) -> int:
        """Return the number of bytes of a frame."""
        return self.stride * self.lines * 3 // 2


class PlanePixels:
    """A frame of planes.

    Args:
        content: The bytes.
        layout: Their layout; the frame is the middle of longer lines.
    """

    jpeg = None

    def __init__(self, content: bytes | bytearray, layout: PlaneLayout) -> None:
        self._content, self._layout = content, layout
        self.size = layout.size

    def decode(self, spec: InputSpec | None = None) -> Image.Image:
        """See `edgeemo.live.frame.FramePixels.decode`; a large frame is reduced as a JPEG is."""
        if spec is None:
            return self._convert(1)
        is_grey = spec.channels == 1 and not spec.crops_faces
        image = Image.fromarray(self.luma()) if is_grey else self._convert(self._reduction(spec))
        with open_image(image) as opened:
            return decode(opened, spec)

    def luma(self) -> NDArray[np.uint8]:
        """See `edgeemo.live.frame.FramePixels.luma`."""
        return self._plane(0, 1)

    def _reduction(self, spec: InputSpec) -> int:
        """Return 1, 2, 4 or 8, as libjpeg would reduce a JPEG for the same specification."""
        width, height = self.size
        min_width, min_height = find_min_size((width, height), spec)
        fits = (n for n in (8, 4, 2) if width >= n * min_width and height >= n * min_height)
        return next(fits, 1)

    def _convert(self, reduction: int) -> Image.Image:
        """Return the frame as RGB; at half its size the planes of colour are as they should be."""
        luma, *colours = (Image.fromarray(plane) for plane in self._planes())
        if reduction > 1:
            luma = luma.reduce(reduction)
        if reduction > 2:
            colours = [colour.reduce(reduction // 2) for colour in colours]
        if colours[0].size != luma.size:
            colours = [colour.resize(luma.size, Image.Resampling.NEAREST) for colour in colours]
        return Image.merge("YCbCr", [luma, *colours]).convert("RGB")

    def _planes(self) -> tuple[NDArray[np.uint8], ...]:
        pixels = self._layout.stride * self._layout.lines
        return self.luma(), self._plane(pixels, 2), self._plane(pixels * 5 // 4, 2)

    def _plane(self, begin: int, step: int) -> NDArray[np.uint8]:
        """Return the part of a plane that is shown.

        Args:
            begin: Number of bytes before the plane.
            step: Pixels of the frame per value, to the side and down.
        """
        (width, height), stride = self.size, self._layout.stride // step
        lines = self._layout.lines // step
        plane = np.frombuffer(self._content, np.uint8, stride * lines, begin)
        left = (self._layout.stride - width) // 2 // 2 * 2 // step
        columns = slice(left, left + -(-width // step))
        shown: NDArray[np.uint8] = plane.reshape(lines, stride)[: -(-height // step), columns]
        return shown
