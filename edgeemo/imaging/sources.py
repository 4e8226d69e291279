"""Images that are neither a file nor Pillow's: arrays, and files that are open already.

Imported when one turns up.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

import numpy as np
from PIL import Image

from edgeemo.errors import ImageError, ImageTypeError
from edgeemo.imaging.limits import MAX_FILE_BYTES

if TYPE_CHECKING:
    from numpy.typing import NDArray

COLORS = ("rgb", "bgr", "gray")

_CHUNK = 1 << 20
_SHAPES = "(H, W), (H, W, 1), (H, W, 3) or (H, W, 4)"


class BinaryFile(Protocol):
    """An open file, or whatever else bytes can be read from."""

    def read(self, size: int, /) -> bytes | None:
        """Return the next bytes, `size` at most; none at the end."""


def read_other(
    source: object, name: str, color: str | None
) -> str | os.PathLike[str] | bytes | Image.Image:
    """Return an array as an image, the bytes of an open file, and what is known as it is.

    Args:
        source: An array, an open file, a bytearray or a memoryview; or another kind of source.
        name: Its name in messages.
        color: Order of an array's channels; see `make_image`.

    Raises:
        ImageError: If the file cannot be read.
        ImageTypeError: If it is none of them, an array that is no image, or no array and has a
            color.
    """
    if isinstance(source, np.ndarray):
        return make_image(source, color=color, name=name)
    if color is not None:
        raise ImageTypeError(f"{name}: color={color!r} is for arrays; leave it out")
    if isinstance(source, str | bytes | os.PathLike | Image.Image):
        return source
    if isinstance(source, bytearray | memoryview):
        return bytes(source)
    if hasattr(source, "read"):
        return _read_file(source, name)
    kind = type(source)
    hint = "; numpy.asarray makes an array of it" if hasattr(source, "__array__") else ""
    raise ImageTypeError(
        f"an image is a path, the bytes of a file, a file opened with 'rb', a Pillow image or a "
        f"numpy array, not {kind.__module__}.{kind.__qualname__}{hint}"
    )


def make_image(
    array: NDArray[np.uint8], *, color: str | None = None, name: str = "image"
) -> Image.Image:
    """Return an array of pixels as a Pillow image.

    Args:
        array: (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) uint8, 0 to 255; the fourth channel is
            opacity.
        color: "rgb" or "bgr", which is OpenCV's, for 3 and 4 channels; "gray", or nothing, for one.
        name: Its name in messages.

    Raises:
        ImageTypeError: If the array is no image, or `color` does not fit it.
    """
    array = np.asarray(array)
    if color is not None and color not in COLORS:
        raise ImageTypeError(f"color must be 'rgb', 'bgr' or 'gray', not {color!r}")
    _check_shape(array, name)
    if array.dtype != np.uint8:
        _refuse_type(array, name)
    channels = array.shape[2] if array.ndim == 3 else 1
    if channels == 1:
        if color not in (None, "gray"):
            raise ImageTypeError(
                f"{name}: color={color!r} requires 3 or 4 channels, not the shape {array.shape}"
            )
        return Image.fromarray(array.reshape(array.shape[:2]))
    if color is None:
        raise ImageTypeError(
            f"{name}: an array of {channels} channels requires color='bgr' (a frame of OpenCV) or "
            "color='rgb' (of Pillow, imageio, Matplotlib)"
        )
    if color == "gray":
        raise ImageTypeError(
            f"{name}: color='gray' requires one channel, not the shape {array.shape}"
        )
    return Image.fromarray(array if color == "rgb" else array[..., [2, 1, 0, 3][:channels]])


def _check_shape(array: NDArray[Any], name: str) -> None:
    shape = array.shape
    hint = ""
    if array.ndim == 4:
        hint = "; these are several images: predict_batch takes them"
    elif array.ndim == 3 and shape[0] in (1, 3, 4) and shape[2] not in (1, 3, 4):
        hint = "; numpy.moveaxis(array, 0, -1) makes the channels the last axis"
    if not (array.ndim == 2 or (array.ndim == 3 and shape[2] in (1, 3, 4))):
        raise ImageTypeError(f"{name}: the array must be {_SHAPES}, not {shape}{hint}")
    if 0 in shape:
        raise ImageTypeError(f"{name}: the array is empty: its shape is {shape}")


def _refuse_type(array: NDArray[Any], name: str) -> NoReturn:
    remedy = "make them uint8, 0 to 255"
    found = f"the array is {array.dtype}"
    if array.dtype.kind in "iufb":
        low, high = array.min().item(), array.max().item()
        found += f", {low:g} to {high:g}"
        if array.dtype.kind == "b" or (array.dtype.kind == "f" and 0 <= low <= high <= 1):
            remedy = "give (array * 255).round().astype('uint8')"
        elif 0 <= low <= high <= 255:
            remedy = "give array.round().astype('uint8')"
        else:
            remedy = "scale it to 0 to 255, as uint8"
    raise ImageTypeError(f"{name}: {found}; {remedy}")


def _read_file(source: BinaryFile, name: str) -> bytes:
    """Return all that comes, up to one chunk more than an image file may have."""
    content = bytearray()
    while len(content) <= MAX_FILE_BYTES:
        try:
            chunk: object = source.read(_CHUNK)
        except UnicodeError:
            chunk = ""
        except (OSError, ValueError) as error:  # closed, or opened for writing
            from edgeemo.utils.text import one_line

            raise ImageError(f"{name}: cannot be read: {one_line(error)}") from None
        if chunk is None:
            raise ImageError(f"{name}: cannot be read: it does not block, and has no data yet")
        if not isinstance(chunk, bytes):
            raise ImageTypeError(f"{name}: the file is open as text; open it with 'rb'")
        if not chunk:
            break
        content += chunk
    if not content:
        raise ImageError(f"{name}: is empty, or was read to its end before: seek(0) goes back")
    return bytes(content)
