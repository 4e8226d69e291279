"""Decoding: from an image file to the image that a viewer shows. numpy and Pillow only.

Orientation, transparency, colour profile and depth are handled here, once, for every caller.

JPEG is decoded at a reduced scale where the requested size allows it (`Image.draft`: libjpeg's
scaled IDCT), which is several times cheaper for large images and gives slightly different pixels.
An image that is passed already decoded skips that: its pixels are close to the file's, not equal.
"""

from __future__ import annotations

import io
import os
from importlib import import_module
from typing import TYPE_CHECKING, Self, TypeAlias

import numpy as np
from PIL import Image, UnidentifiedImageError

from edgeemo.errors import ImageError, ImageTooLargeError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Source: TypeAlias = "str | os.PathLike[str] | bytes | Image.Image | NDArray[np.uint8]"

FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "GIF")
"""Formats that are decoded, as Pillow names them. A camera's MPO opens as a JPEG."""

HEAD_BYTES = 16
"""Number of bytes of a file that `sniff` needs."""

MAX_PIXELS = 89_478_485
"""Largest image accepted, in pixels: where Pillow begins to suspect a decompression bomb."""

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
_WITH_ALPHA = ("LA", "La", "PA", "RGBA", "RGBa")
_PLUGINS = {"WEBP": "WebP"}

_READ_BYTES = 1 << 22
"""Number of bytes that a decoder is fed at a time: most files whole. Pillow's own 64 kB pieces
scatter the heap so that it grows by 8 MB over the first thousands of images."""


class OpenedImage:
    """An opened image, whose pixels are not decoded yet; a context manager that closes it.

    Attributes:
        name: Its name in messages.
        is_encoded: Whether it is an image file or its bytes, not pixels.
    """

    __slots__ = ("_image", "_owned", "is_encoded", "name")

    def __init__(self, image: Image.Image, *, name: str, is_encoded: bool, owned: bool) -> None:
        self._image, self._owned = image, owned
        self.name, self.is_encoded = name, is_encoded

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._owned:
            self._image.__exit__()  # closes the file; decoded pixels stay

    @property
    def mode(self) -> str:
        """Return Pillow's name for its channels, such as "RGB", "L" or "P"."""
        return self._image.mode

    @property
    def stored_size(self) -> tuple[int, int]:
        """Return width and height in pixels, as the file holds them."""
        return self._image.size

    @property
    def size(self) -> tuple[int, int]:
        """Return width and height in pixels, as a viewer shows the image."""
        size = self._image.size
        return size[::-1] if _orientation(self._image) in _SWAPS_SIDES else size

    def decode(self, *, grey: bool, min_size: tuple[int, int] | None = None) -> Image.Image:
        """Decode the image as a viewer shows it. An image file can be decoded once.

        Args:
            grey: Whether to return mode "L" instead of "RGB".
            min_size: Width and height, in pixels, that suffice: a JPEG file may be decoded at a
                reduced scale. None for the whole of it.

        Raises:
            ImageError: If the image is damaged.
        """
        try:
            shown = self._upright(grey, min_size if self.is_encoded else None)
            shown.load()  # Pillow decodes an image that needs no conversion when it is looked at
        except Exception as error:  # a decoder fed with broken bytes raises almost anything
            problem = f"the image is damaged or cut short ({_reason(error)})"
            raise ImageError(f"{self.name}: {problem}") from None
        return shown

    def _upright(self, grey: bool, min_size: tuple[int, int] | None) -> Image.Image:
        image, orientation = self._image, _orientation(self._image)
        if min_size:
            size = min_size[::-1] if orientation in _SWAPS_SIDES else min_size
            image.draft("L" if grey and "icc_profile" not in image.info else None, size)
        shown = _as_seen(image, grey=grey)
        return shown.transpose(_TRANSPOSE[orientation]) if orientation in _TRANSPOSE else shown


def open_image(source: Source) -> OpenedImage:
    """Open an image, judged by its content, without decoding its pixels.

    Args:
        source: Path of an image file, its bytes, a Pillow image, or an (H, W, 3) uint8 RGB array.

    Raises:
        ImageError: If it cannot be read, is in none of `FORMATS`, or has more than `MAX_PIXELS`
            pixels.
    """
    name = source_name(source)
    if isinstance(source, Image.Image):
        return OpenedImage(source, name=name, is_encoded=False, owned=False)
    if isinstance(source, np.ndarray):
        return OpenedImage(_from_array(source), name=name, is_encoded=False, owned=True)
    image = _open_encoded(source, name)
    if image.width * image.height > MAX_PIXELS:
        raise ImageTooLargeError(
            f"{name}: {image.width}x{image.height} pixels are more than {MAX_PIXELS:,}; "
            "make it smaller"
        )
    return OpenedImage(image, name=name, is_encoded=True, owned=True)


def stretch(image: Image.Image, width: int, height: int) -> Image.Image:
    """Resize an image with bilinear filtering, its width first.

    Each pass rounds to 8 bits, so their order shows. Pillow 13 chooses it by the sizes, where
    earlier versions always began with the width: two calls give the same bytes with all of them.
    """
    across = image.resize((width, image.height), Image.Resampling.BILINEAR)
    return across.resize((width, height), Image.Resampling.BILINEAR)


def sniff(head: bytes) -> str | None:
    """Recognise the format of an image file by its first `HEAD_BYTES` bytes.

    Returns:
        One of `FORMATS`, or None.
    """
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WEBP"
    return "BMP" if head.startswith(b"BM") else None


def source_name(source: Source) -> str:
    """Return the name of a source in messages: its path, else "image"."""
    return os.fspath(source) if isinstance(source, (str, os.PathLike)) else "image"


def _open_encoded(source: str | os.PathLike[str] | bytes, name: str) -> Image.Image:
    try:
        format = sniff(_head(source))
        if format is None:
            raise ImageError(f"{name}: not an image ({', '.join(FORMATS)})")
        # Pillow loads every plugin it has where the one requested is not loaded yet.
        import_module(f"PIL.{_PLUGINS.get(format, format.title())}ImagePlugin")
        file = io.BytesIO(source) if isinstance(source, bytes) else source
        image = Image.open(file, formats=(format,))
        image.decodermaxblock = _READ_BYTES
        return image
    except (ImageError, MemoryError):
        raise
    except Image.DecompressionBombError:
        raise ImageTooLargeError(
            f"{name}: more than {MAX_PIXELS:,} pixels; make it smaller"
        ) from None
    except UnidentifiedImageError:
        raise ImageError(f"{name}: the image is damaged") from None
    except OSError as error:
        problem = "cannot be read" if error.errno else "the image is damaged"
        raise ImageError(f"{name}: {problem}: {_reason(error)}") from None
    except Exception as error:  # a plugin's parser fed with broken bytes raises almost anything
        raise ImageError(f"{name}: the image is damaged ({_reason(error)})") from None


def _head(source: str | os.PathLike[str] | bytes) -> bytes:
    if isinstance(source, bytes):
        return source[:HEAD_BYTES]
    with open(source, "rb") as stream:  # noqa: PTH123 - pathlib is slow to import
        return stream.read(HEAD_BYTES)


def _reason(error: Exception) -> str:
    from edgeemo.utils.text import one_line

    return one_line(error.strerror if isinstance(error, OSError) and error.strerror else error)


def _from_array(array: NDArray[np.uint8]) -> Image.Image:
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3 or 0 in array.shape:
        raise ImageError(
            f"image: expected an (H, W, 3) uint8 array of RGB, got {array.shape} {array.dtype}"
        )
    return Image.fromarray(array)


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8; 1 where the tag is absent, unknown or unreadable."""
    if "exif" not in image.info and image.format in ("JPEG", "BMP", "GIF", "WEBP"):
        return 1
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # a broken EXIF block does not keep a viewer from showing the image
        return 1


def _as_seen(image: Image.Image, *, grey: bool) -> Image.Image:
    """Return the image as a viewer shows it but for its orientation, mode "L" or "RGB"."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        image = _eight_bits(image)
    elif _has_transparency(image):
        image = _over_white(image)
    else:
        image = _to_srgb(image)
    mode = "L" if grey else "RGB"
    return image if image.mode == mode else image.convert(mode)


def _has_transparency(image: Image.Image) -> bool:
    """Return Pillow's `has_transparency_data`, which 9.4 of Debian 12 lacks; 10.1 has it."""
    if image.mode in _WITH_ALPHA or "transparency" in image.info:
        return True
    return image.palette is not None and image.palette.mode.endswith("A")


def _eight_bits(image: Image.Image) -> Image.Image:
    """Scale, not clip, deep grey to 8 bits."""
    values = np.asarray(image).astype(np.int64).clip(0, 65535)
    return Image.fromarray(((values * 255 + 32767) // 65535).astype(np.uint8))


def _over_white(image: Image.Image) -> Image.Image:
    rgba = image.convert("RGBA")
    rgb = rgba.convert("RGB")
    rgb.info["icc_profile"] = image.info.get("icc_profile")
    white = Image.new("RGB", image.size, "white")
    white.paste(_to_srgb(rgb), mask=rgba.getchannel("A"))
    return white


def _to_srgb(image: Image.Image) -> Image.Image:
    """Apply an embedded ICC profile; ignore a broken or unfitting one, as viewers do."""
    profile = image.info.get("icc_profile")
    if image.mode == "P":
        image = image.convert("RGB")
    if not profile or b"sRGB" in profile or "sRGB".encode("utf-16-be") in profile:
        return image
    from PIL import ImageCms  # most images carry no profile

    try:
        return (
            ImageCms.profileToProfile(
                image, io.BytesIO(profile), ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
            or image
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
