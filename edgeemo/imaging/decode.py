"""Decoding: from an image file to the image that a viewer shows. numpy and Pillow only.

Orientation and colours (`edgeemo.imaging.colours`) are handled here, once, for every caller. The
memory and the time of an image are limited (`edgeemo.imaging.limits`).

JPEG is decoded at a reduced scale where the requested size allows it (`Image.draft`: libjpeg's
scaled IDCT), which is several times cheaper for large images and gives slightly different pixels.
An image that is passed already decoded skips that: its pixels are close to the file's, not equal.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal, Self, TypeAlias

from PIL import Image

from edgeemo.errors import ImageError
from edgeemo.imaging.files import FORMATS, HEAD_BYTES, explain_failure, load_webp, open_file, sniff
from edgeemo.imaging.limits import BAND_PIXELS, MAX_PIXELS, ROOM, Cost, count_pixel_bytes

if TYPE_CHECKING:
    from typing import BinaryIO

    import numpy as np
    from numpy.typing import NDArray

    from edgeemo.imaging.sources import BinaryFile

__all__ = [
    "FORMATS", "HEAD_BYTES", "MAX_PIXELS", "Color", "OpenedImage", "Source", "open_image", "sniff",
    "source_name", "stretch",
]  # fmt: skip

Source: TypeAlias = (
    "str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryFile | Image.Image"
    " | NDArray[np.uint8]"
)
"""An image: its path, the bytes of its file, a file opened with "rb", which is read from where it
stands to its end and not closed, a Pillow image, or an array with a `Color`."""

Color: TypeAlias = Literal["rgb", "bgr", "gray"]
"""Order of the channels of an array, which must be given where it has 3 or 4."""

_ORIENTATION = 0x0112
_TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SWAPS_SIDES = (5, 6, 7, 8)

_BAND_BYTES = 24  # of a pixel while its band is converted


class OpenedImage:
    """An opened image, whose pixels are not decoded yet; a context manager that closes it.

    Attributes:
        name: Its name in messages.
        is_encoded: Whether it is an image file or its bytes, not pixels.
    """

    __slots__ = ("_cost", "_image", "_stream", "_taken", "is_encoded", "name")

    def __init__(
        self,
        image: Image.Image,
        *,
        name: str,
        stream: BinaryIO | None = None,
        cost: Cost | None = None,
    ) -> None:
        self._image, self._stream, self._cost = image, stream, cost or Cost()
        self._taken = 0
        self.name, self.is_encoded = name, stream is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._stream is not None:
            self._stream.close()  # decoded pixels stay
        ROOM.give_back(self._taken)
        self._taken = 0

    @property
    def mode(self) -> str:
        """Return Pillow's name for its channels, such as "RGB", "L" or "P"."""
        return self._image.mode

    @property
    def format(self) -> str | None:
        """Return Pillow's name for the file's format, such as "JPEG"; None of pixels."""
        return self._image.format

    @property
    def quantization(self) -> list[int] | None:
        """Return a JPEG file's first quantisation table, row by row; None of another image."""
        tables: dict[int, list[int]] = getattr(self._image, "quantization", {})
        return tables.get(0)

    @property
    def stored_size(self) -> tuple[int, int]:
        """Return width and height in pixels, as the file holds them."""
        return self._image.size

    @property
    def size(self) -> tuple[int, int]:
        """Return width and height in pixels, as a viewer shows the image."""
        size = self._image.size
        return size[::-1] if self._find_orientation() in _SWAPS_SIDES else size

    def decode(self, *, grey: bool, min_size: tuple[int, int] | None = None) -> Image.Image:
        """Decode the image as a viewer shows it. An image file can be decoded once.

        Args:
            grey: Whether to return mode "L" instead of "RGB".
            min_size: Width and height, in pixels, that suffice: a JPEG file may be decoded at a
                reduced scale. None for the whole of it.

        Raises:
            ImageError: If the image is damaged, or its decoding would cost too much.
        """
        try:
            return self._decode("L" if grey else "RGB", min_size)
        except ImageError:
            raise
        except Exception as error:  # a decoder fed with broken bytes raises almost anything
            raise ImageError(f"{self.name}: {explain_failure(error)}") from None

    def _decode(self, mode: str, min_size: tuple[int, int] | None) -> Image.Image:
        image, orientation = self._image, self._find_orientation()
        if self.is_encoded:
            if min_size:
                size = min_size[::-1] if orientation in _SWAPS_SIDES else min_size
                has_profile = "icc_profile" in image.info
                image.draft("L" if mode == "L" and not has_profile else None, size)
            self._take_room(mode, turned=orientation in _TRANSPOSE, min_size=min_size)
            image = load_webp(image) if image.format == "WEBP" else image
        shown = image if _is_plain(image, mode) else _convert(image, mode)
        shown.load()  # Pillow decodes an image that needs no conversion when it is looked at
        if self.is_encoded and shown is not image:
            image.close()  # its pixels are not needed any more
        return shown.transpose(_TRANSPOSE[orientation]) if orientation in _TRANSPOSE else shown

    def _find_orientation(self) -> int:
        image = self._image
        if not self.is_encoded:
            return _ask_pillow(image)
        if "exif" not in image.info:
            if image.format != "PNG":
                return 1
            self._load_early()  # a PNG may say it behind its pixels
        from edgeemo.imaging.orientation import read_orientation

        return read_orientation(image.info)

    def _load_early(self) -> None:
        self._take_room("RGB")
        try:
            self._image.load()
        except Exception:  # `decode` raises it again, where the pixels are not all there
            return

    def _take_room(
        self, mode: str, *, turned: bool = False, min_size: tuple[int, int] | None = None
    ) -> None:
        """Refuse an image that would take too much memory or time, and wait for the memory."""
        width, height = self._image.size
        source = count_pixel_bytes(self._image.mode, (width, height))
        result = count_pixel_bytes("RGB", (width, height))  # what one network reads, all do
        copy = result if turned else 0
        across = count_pixel_bytes("RGB", (min_size[0], max(width, height))) if min_size else 0
        converting = 0
        if not _is_plain(self._image, mode):
            converting = source + min(width * height, max(width, BAND_PIXELS)) * _BAND_BYTES
        later = result + max(converting, copy, across)
        peak = max(self._cost.memory_bytes + source, later)
        ROOM.give_back(self._taken)
        self._taken = 0
        self._taken = ROOM.take(peak, name=self.name, seconds=self._cost.seconds)


def open_image(source: Source, *, color: Color | None = None) -> OpenedImage:
    """Open an image, judged by its content, without decoding its pixels.

    Args:
        source: The image; an array is (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) uint8.
        color: Order of an array's channels; required where it has 3 or 4.

    Raises:
        ImageError: If it cannot be read, is in none of `FORMATS`, or is beyond a limit of
            `edgeemo.imaging.limits`.
        ImageTypeError: If it is no image at all, or `color` does not fit it.
    """
    name = source_name(source)
    if not isinstance(source, (str, bytes, os.PathLike, Image.Image)) or color is not None:
        from edgeemo.imaging.sources import read_other

        source = read_other(source, name, color)
    if isinstance(source, Image.Image):
        return OpenedImage(source, name=name)
    image, stream, cost = open_file(source, name)
    return OpenedImage(image, name=name, stream=stream, cost=cost)


def stretch(image: Image.Image, width: int, height: int) -> Image.Image:
    """Resize an image with bilinear filtering, its width first.

    Each pass rounds to 8 bits, so their order shows. Pillow 13 chooses it by the sizes, where
    earlier versions always began with the width: two calls give the same bytes with all of them.
    """
    across = image.resize((width, image.height), Image.Resampling.BILINEAR)
    return across.resize((width, height), Image.Resampling.BILINEAR)


def source_name(source: Source) -> str:
    """Return the name of a source in messages: its path, that of an open file, else "image"."""
    if isinstance(source, (str, os.PathLike)):
        return os.fspath(source)
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else "image"


def _is_plain(image: Image.Image, mode: str) -> bool:
    """Return whether an image needs no conversion to mode "L" or "RGB"."""
    return image.mode == mode and image.info.keys().isdisjoint(("icc_profile", "transparency"))


def _convert(image: Image.Image, mode: str) -> Image.Image:
    from edgeemo.imaging.colours import convert  # many images are what is needed already

    return convert(image, mode)


def _ask_pillow(image: Image.Image) -> int:
    """Return the EXIF orientation of an image that the caller opened."""
    if "exif" not in image.info and image.format in ("JPEG", "BMP", "GIF", "WEBP"):
        return 1
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # a broken EXIF block does not keep a viewer from showing the image
        return 1
