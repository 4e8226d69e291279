"""Pixels of video frames that libav decoded; converted to RGB only when somebody looks at them."""

from __future__ import annotations

import struct
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from edgeemo.errors import ImageError
from edgeemo.imaging.decode import open_image
from edgeemo.imaging.preprocess import decode, find_min_size
from edgeemo.live.libav import find_reformatter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgeemo.live.libav import VideoFrame
    from edgeemo.model.input_spec import InputSpec

_TRANSPOSE = {
    (-1, 0, 0, 1): Image.Transpose.FLIP_LEFT_RIGHT,
    (1, 0, 0, -1): Image.Transpose.FLIP_TOP_BOTTOM,
    (-1, 0, 0, -1): Image.Transpose.ROTATE_180,
    (0, 1, -1, 0): Image.Transpose.ROTATE_270,
    (0, -1, 1, 0): Image.Transpose.ROTATE_90,
    (0, 1, 1, 0): Image.Transpose.TRANSPOSE,
    (0, -1, -1, 0): Image.Transpose.TRANSVERSE,
}
"""What turns a frame upright, by the signs of a, b, c, d of its display matrix: x' = ax + cy,
y' = bx + dy (ISO/IEC 14496-12, 8.3.2)."""

_SWAPS_SIDES = (
    Image.Transpose.ROTATE_90,
    Image.Transpose.ROTATE_270,
    Image.Transpose.TRANSPOSE,
    Image.Transpose.TRANSVERSE,
)
_UNSPECIFIED, _HD_HEIGHT = 2, 720
"""libav's number of a colour space that the video does not tell, and the height from which players
then take ITU-R BT.709 instead of BT.601."""


class DecodedPixels:
    """A frame that libav decoded.

    Args:
        frame: The frame.
        transpose: What turns it upright, as `find_transpose` returns it.
    """

    jpeg = None

    def __init__(self, frame: VideoFrame, transpose: Image.Transpose | None = None) -> None:
        self._frame, self._transpose = frame, transpose

    @cached_property
    def size(self) -> tuple[int, int]:
        """Return width and height in pixels, upright."""
        size = (self._frame.width, self._frame.height)
        return size[::-1] if self._transpose in _SWAPS_SIDES else size

    def decode(self, spec: InputSpec | None = None) -> Image.Image:
        """See `edgeemo.live.frame.FramePixels.decode`; a large frame is reduced as a JPEG is."""
        reduction = 1 if spec is None else self._find_reduction(spec)
        with open_image(self._convert(reduction)) as opened:
            return opened.decode(grey=False) if spec is None else decode(opened, spec)

    def luma(self) -> NDArray[np.uint8]:
        """See `edgeemo.live.frame.FramePixels.luma`; the Y plane itself where there is one."""
        luma = _read_luma(self._frame)
        if self._transpose is None:
            return luma
        return np.asarray(Image.fromarray(luma).transpose(self._transpose))

    def _find_reduction(self, spec: InputSpec) -> int:
        """Return 1, 2, 4 or 8, as libjpeg would reduce a JPEG for the same specification."""
        width, height = self.size
        least_width, least_height = find_min_size((width, height), spec)
        fits = (n for n in (8, 4, 2) if width >= n * least_width and height >= n * least_height)
        return next(fits, 1)

    def _convert(self, reduction: int) -> Image.Image:
        frame = self._frame
        mode = "RGBA" if frame.format.name.startswith(_WITH_OPACITY) else "RGB"
        is_hd = frame.colorspace == _UNSPECIFIED and frame.height >= _HD_HEIGHT
        width, height = -(-frame.width // reduction), -(-frame.height // reduction)
        try:
            converted = find_reformatter().reformat(
                frame,
                width,
                height,
                format="rgba" if mode == "RGBA" else "rgb24",
                src_colorspace="ITU709" if is_hd else None,
                interpolation="AREA" if reduction > 1 else None,
                threads=1,  # by default each frame would begin as many as there are cores
            )
        except (OSError, ValueError) as error:
            raise ImageError(
                f"frame: its pixels cannot be read: {error.__class__.__name__}"
            ) from error
        plane: Any = converted.planes[0]
        image = Image.frombytes(mode, (width, height), plane, "raw", mode, plane.line_size, 1)
        return image if self._transpose is None else image.transpose(self._transpose)


class DamagedPixels:
    """A frame that cannot be decoded.

    Args:
        reason: Why, for the message.
        size: Width and height, in pixels, of the frames before it.
    """

    jpeg = None

    def __init__(self, reason: str, size: tuple[int, int]) -> None:
        self._reason = reason
        self.size = size

    def decode(self, spec: InputSpec | None = None) -> Image.Image:
        """See `edgeemo.live.frame.FramePixels.decode`."""
        raise ImageError(self._reason)

    def luma(self) -> NDArray[np.uint8]:
        """See `edgeemo.live.frame.FramePixels.luma`."""
        raise ImageError(self._reason)


_WITH_OPACITY = ("yuva", "rgba", "bgra", "argb", "abgr", "gbrap", "ya8", "ya16", "pal8")
_PACKED = {"yuyv422": 0, "yvyu422": 0, "uyvy422": 1}
"""Formats of alternating brightness and colour, and the place of the first brightness."""


def _read_luma(frame: VideoFrame) -> NDArray[np.uint8]:
    """Return the brightness as it is stored, or converted where it is not stored."""
    name, width = frame.format.name, frame.width
    first = frame.format.components[0]
    if name in _PACKED:
        return _rows(frame)[:, _PACKED[name] : 2 * width : 2]
    if name.startswith(("yuv", "nv12", "nv21", "gray")) and name != "gray32":
        if first.bits == 8:
            return _rows(frame)[:, :width]
        if first.bits <= 16 and name.endswith("le"):
            words = _rows(frame).view("<u2")[:, :width]
            shifted: NDArray[np.uint8] = (words >> (first.bits - 8)).astype(np.uint8)
            return shifted
    return np.asarray(find_reformatter().reformat(frame, format="gray").to_ndarray())


def _rows(frame: VideoFrame) -> NDArray[np.uint8]:
    plane: Any = frame.planes[0]
    rows: NDArray[np.uint8] = np.frombuffer(plane, np.uint8)
    return rows[: plane.line_size * frame.height].reshape(frame.height, plane.line_size)


def find_transpose(frame: VideoFrame) -> Image.Transpose | None:
    """Return what turns a frame upright, from its display matrix; None where it is upright.

    To be called seldom: PyAV then keeps the frame in a cycle of references, which holds its memory
    until the garbage collector comes.
    """
    matrix: Any = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return None
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(matrix))
    most = max(map(abs, (a, b, c, d))) or 1
    a, b, c, d = (round(value / most) for value in (a, b, c, d))
    return _TRANSPOSE.get((a, b, c, d))
