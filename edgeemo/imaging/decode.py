"""From an image's file to the image that a viewer shows: numpy and Pillow only.

Orientation, transparency, colour profile and depth are seen to here, once, for everybody.

JPEG is decoded at a reduced scale where the wanted size allows it (`Image.draft`: libjpeg's scaled
IDCT), which is several times cheaper on large images and gives slightly different pixels. A
image handed over already decoded skips that, so its pixels are close to the file's, not equal.
"""

from __future__ import annotations

import io
import os
from importlib import import_module
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from PIL import Image, UnidentifiedImageError

from edgeemo.errors import ImageError, ImageTooLargeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Source: TypeAlias = "str | os.PathLike[str] | bytes | Image.Image | NDArray[np.uint8]"

FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "GIF")
"""Formats that are decoded, as Pillow names them. A camera's MPO opens as the JPEG that it is."""

HEAD_BYTES = 16
"""How much of a file `sniff` needs to see."""

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
"""How much of a file a decoder is fed at a time: most files whole. In Pillow's own 64 kB pieces the
heap is scattered so that it grows by 8 MB over the first thousands of images."""


def open_image(source: Source, *, formats: Sequence[str] = FORMATS) -> Image.Image:
    """Open an image, judged by its content, without decoding its pixels.

    Args:
        source: Path of an image file, its bytes, a Pillow image, or an (H, W, 3) uint8 RGB array.
        formats: Formats to accept, as Pillow names them.

    Returns:
        A Pillow image; for a file, one that is not loaded yet. Close it, unless it is `source`.

    Raises:
        ImageError: If it cannot be read, is of no accepted format, or has more than
            `MAX_PIXELS` pixels.
    """
    if isinstance(source, Image.Image):
        return source
    if isinstance(source, np.ndarray):
        return _from_array(source)
    name = describe(source)
    image = _open_encoded(source, formats, name)
    if image.width * image.height > MAX_PIXELS:
        raise ImageTooLargeError(
            f"{name}: {image.width}x{image.height} pixels are more than {MAX_PIXELS:,}; "
            "make it smaller"
        )
    return image


def upright(
    image: Image.Image, *, grey: bool, at_least: tuple[int, int] | None = None
) -> Image.Image:
    """The image as a viewer shows it, decoded.

    Args:
        image: What `open_image` gave.
        grey: Whether to give mode "L" instead of "RGB".
        at_least: Width and height, in pixels, that suffice, so that a JPEG may be decoded at a
            reduced scale, which changes `image` itself; None for the whole of it.

    Raises:
        Exception: Almost anything, where the file is damaged; see `damaged`.
    """
    orientation = _orientation(image)
    if at_least:
        size = at_least[::-1] if orientation in _SWAPS_SIDES else at_least
        image.draft("L" if grey and "icc_profile" not in image.info else None, size)
    seen = _as_seen(image, grey=grey)
    return seen.transpose(_TRANSPOSE[orientation]) if orientation in _TRANSPOSE else seen


def upright_size(image: Image.Image) -> tuple[int, int]:
    """Width and height, in pixels, of the whole image as a viewer shows it."""
    size = image.size
    return size[::-1] if _orientation(image) in _SWAPS_SIDES else size


def stretched(image: Image.Image, width: int, height: int) -> Image.Image:
    """The image at another size, its width changed first.

    Each pass rounds to 8 bits, so their order shows. Pillow 13 chooses it by the sizes, where
    earlier versions always began with the width: two calls give the same bytes with all of them.
    """
    across = image.resize((width, image.height), Image.Resampling.BILINEAR)
    return across.resize((width, height), Image.Resampling.BILINEAR)


def damaged(name: str, error: Exception) -> ImageError:
    """What to raise where decoding failed, with whatever.

    Args:
        name: What to call the image.
        error: What the decoder raised.
    """
    return ImageError(f"{name}: the image is damaged or cut short ({_reason(error)})")


def sniff(head: bytes) -> str | None:
    """The format of an image file by its first `HEAD_BYTES` bytes.

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


def is_encoded(source: Source) -> bool:
    """Whether a source is an image file or its bytes, not pixels."""
    return not isinstance(source, (Image.Image, np.ndarray))


def describe(source: Source) -> str:
    """What to call a source in a message."""
    if isinstance(source, (str, os.PathLike)):
        return os.fspath(source)
    return "image"


def _open_encoded(
    source: str | os.PathLike[str] | bytes, formats: Sequence[str], name: str
) -> Image.Image:
    try:
        format = sniff(_head(source)) or ""
        if format not in formats:
            raise ImageError(f"{name}: not an image ({', '.join(formats)})")
        # Pillow loads every plugin it has where the one asked for is not loaded yet.
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
    """EXIF orientation, 1 to 8; 1 where the tag is absent, unknown or unreadable."""
    if "exif" not in image.info and image.format in ("JPEG", "BMP", "GIF", "WEBP"):
        return 1
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # a broken EXIF block does not keep a viewer from showing the image
        return 1


def _as_seen(image: Image.Image, *, grey: bool) -> Image.Image:
    """The image as a viewer shows it, mode "L" if `grey` else "RGB"."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        image = _eight_bits(image)
    elif _has_transparency(image):
        image = _over_white(image)
    else:
        image = _to_srgb(image)
    mode = "L" if grey else "RGB"
    return image if image.mode == mode else image.convert(mode)


def _has_transparency(image: Image.Image) -> bool:
    """What Pillow calls `has_transparency_data` from 10.1 on; Debian 12 has 9.4."""
    if image.mode in _WITH_ALPHA or "transparency" in image.info:
        return True
    return image.palette is not None and image.palette.mode.endswith("A")


def _eight_bits(image: Image.Image) -> Image.Image:
    """Deep grey scaled, not clipped, to 8 bits."""
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
    """Apply an embedded ICC profile; a broken or unfitting one is ignored, as viewers do."""
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
