"""THE function from a picture to the array that a network reads: numpy and Pillow only.

Training, calibration, verification and the device call `preprocess` with the same spec, so they see
the same bytes. A picture file is decoded as a viewer shows it (orientation, transparency, profile,
depth), stretched to the size, and given as uint8; nothing is cropped.

JPEG is decoded at a reduced scale where the target allows it (`Image.draft`: libjpeg's scaled
IDCT), which is several times cheaper on large pictures and gives slightly different pixels. A
picture handed over already decoded skips that, so its array is close to the file's, not equal.
"""

from __future__ import annotations

import io
import os
from importlib import import_module
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from PIL import Image, UnidentifiedImageError

from edgeemo.errors import ImageError, PictureTooLargeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edgeemo.spec import ModelSpec

Source: TypeAlias = "str | os.PathLike[str] | bytes | Image.Image | NDArray[np.uint8]"

FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "GIF")
"""Formats that are decoded, as Pillow names them. A camera's MPO opens as the JPEG that it is."""

HEAD_BYTES = 16
"""How much of a file `sniff` needs to see."""

MAX_PIXELS = 89_478_485
"""Largest picture accepted, in pixels: where Pillow begins to suspect a decompression bomb."""

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
heap is scattered so that it grows by 8 MB over the first thousands of pictures."""


def preprocess(source: Source, spec: ModelSpec) -> NDArray[np.uint8]:
    """Turn a picture into the network's input, before scaling.

    Args:
        source: Path of a picture file, its bytes, a Pillow image, or an (H, W, 3) uint8 RGB array.
        spec: Gives the height, width and channels.

    Returns:
        Array of shape (spec.height, spec.width, spec.channels), uint8, 0 to 255, C-contiguous;
        RGB or grey (ITU-R 601-2 luma, as Pillow computes it). The network's input is this
        times `spec.scale`, as float32.

    Raises:
        ImageError: If the source is not a picture, is damaged, or is too large.
    """
    picture = open_picture(source)
    try:
        return picture_to_array(picture, spec, name=describe(source), draft=is_encoded(source))
    finally:
        if picture is not source:
            picture.close()


def open_picture(source: Source, *, formats: Sequence[str] = FORMATS) -> Image.Image:
    """Open a picture, judged by its content, without decoding its pixels.

    Args:
        source: As in `preprocess`.
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
    picture = _open_encoded(source, formats, name)
    if picture.width * picture.height > MAX_PIXELS:
        raise PictureTooLargeError(
            f"{name}: {picture.width}x{picture.height} pixels are more than {MAX_PIXELS:,}; "
            "make it smaller"
        )
    return picture


def picture_to_array(
    picture: Image.Image, spec: ModelSpec, *, name: str, draft: bool
) -> NDArray[np.uint8]:
    """The part of `preprocess` that follows `open_picture`.

    Args:
        picture: An opened picture; it is decoded here if it is not loaded.
        spec: Gives the height, width and channels.
        name: What to call the picture in an error message.
        draft: Whether a JPEG may be decoded at a reduced scale; changes `picture` itself.

    Returns:
        As `preprocess`.

    Raises:
        ImageError: If decoding fails.
    """
    try:
        return resize(_decoded(picture, spec, draft=draft), spec)
    except Exception as error:  # a decoder fed with broken bytes raises almost anything
        raise ImageError(
            f"{name}: the picture is damaged or cut short ({_reason(error)})"
        ) from None


def decode(content: bytes, spec: ModelSpec) -> Image.Image:
    """The part of `preprocess` before `resize`, to tell apart what differs or takes its time.

    Args:
        content: The bytes of a picture file.
        spec: Gives the height, width and channels.

    Returns:
        The upright picture, mode "L" or "RGB", at the scale that it was decoded at.

    Raises:
        ImageError: If it cannot be read.
    """
    picture = open_picture(content)
    try:
        seen = _decoded(picture, spec, draft=True)
        seen.load()  # Pillow decodes a picture that needs no conversion when it is looked at
    except Exception as error:  # as in picture_to_array
        raise ImageError(f"picture: damaged or cut short ({_reason(error)})") from None
    return seen


def resize(picture: Image.Image, spec: ModelSpec) -> NDArray[np.uint8]:
    """The part of `preprocess` after `decode`: stretch to the network's size.

    Args:
        picture: Upright, mode "L" or "RGB" as the spec's channels ask for.
        spec: Gives the height, width and channels.

    Returns:
        As `preprocess`.
    """
    small = _stretched(picture, spec.width, spec.height)
    return np.asarray(small).reshape(spec.input_shape)


def sniff(head: bytes) -> str | None:
    """The format of a picture file by its first `HEAD_BYTES` bytes.

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
    """Whether a source is a picture file or its bytes, not pixels."""
    return not isinstance(source, (Image.Image, np.ndarray))


def describe(source: Source) -> str:
    """What to call a source in a message."""
    if isinstance(source, (str, os.PathLike)):
        return os.fspath(source)
    return "picture"


def _open_encoded(
    source: str | os.PathLike[str] | bytes, formats: Sequence[str], name: str
) -> Image.Image:
    try:
        format = sniff(_head(source)) or ""
        if format not in formats:
            raise ImageError(f"{name}: not a picture ({', '.join(formats)})")
        # Pillow loads every plugin it has where the one asked for is not loaded yet.
        import_module(f"PIL.{_PLUGINS.get(format, format.title())}ImagePlugin")
        file = io.BytesIO(source) if isinstance(source, bytes) else source
        picture = Image.open(file, formats=(format,))
        picture.decodermaxblock = _READ_BYTES
        return picture
    except (ImageError, MemoryError):
        raise
    except Image.DecompressionBombError:
        raise PictureTooLargeError(
            f"{name}: more than {MAX_PIXELS:,} pixels; make it smaller"
        ) from None
    except UnidentifiedImageError:
        raise ImageError(f"{name}: the picture is damaged") from None
    except OSError as error:
        problem = "cannot be read" if error.errno else "the picture is damaged"
        raise ImageError(f"{name}: {problem}: {_reason(error)}") from None
    except Exception as error:  # a plugin's parser fed with broken bytes raises almost anything
        raise ImageError(f"{name}: the picture is damaged ({_reason(error)})") from None


def _head(source: str | os.PathLike[str] | bytes) -> bytes:
    if isinstance(source, bytes):
        return source[:HEAD_BYTES]
    with open(source, "rb") as stream:  # noqa: PTH123 - pathlib is slow to import
        return stream.read(HEAD_BYTES)


def _reason(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split()) or type(error).__name__


def _from_array(array: NDArray[np.uint8]) -> Image.Image:
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3 or 0 in array.shape:
        raise ImageError(
            f"picture: expected an (H, W, 3) uint8 array of RGB, got {array.shape} {array.dtype}"
        )
    return Image.fromarray(array)


def _decoded(picture: Image.Image, spec: ModelSpec, *, draft: bool) -> Image.Image:
    orientation = _orientation(picture)
    if draft:
        _draft(picture, spec, swap=orientation in _SWAPS_SIDES)
    seen = _as_seen(picture, grey=spec.channels == 1)
    return seen.transpose(_TRANSPOSE[orientation]) if orientation in _TRANSPOSE else seen


def _stretched(picture: Image.Image, width: int, height: int) -> Image.Image:
    """The picture at another size, its width changed first.

    Each pass rounds to 8 bits, so their order shows. Pillow 13 chooses it by the sizes, where
    earlier versions always began with the width: two calls give the same bytes with all of them.
    """
    across = picture.resize((width, picture.height), Image.Resampling.BILINEAR)
    return across.resize((width, height), Image.Resampling.BILINEAR)


def _orientation(picture: Image.Image) -> int:
    """EXIF orientation, 1 to 8; 1 where the tag is absent, unknown or unreadable."""
    if "exif" not in picture.info and picture.format in ("JPEG", "BMP", "GIF", "WEBP"):
        return 1
    try:
        return int(picture.getexif().get(_ORIENTATION, 1))
    except Exception:  # a broken EXIF block does not keep a viewer from showing the picture
        return 1


def _draft(picture: Image.Image, spec: ModelSpec, *, swap: bool) -> None:
    size = (spec.height, spec.width) if swap else (spec.width, spec.height)
    grey = spec.channels == 1 and "icc_profile" not in picture.info
    picture.draft("L" if grey else None, size)


def _as_seen(picture: Image.Image, *, grey: bool) -> Image.Image:
    """The picture as a viewer shows it, mode "L" if `grey` else "RGB"."""
    if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
        picture = _eight_bits(picture)
    elif _has_transparency(picture):
        picture = _over_white(picture)
    else:
        picture = _to_srgb(picture)
    mode = "L" if grey else "RGB"
    return picture if picture.mode == mode else picture.convert(mode)


def _has_transparency(picture: Image.Image) -> bool:
    """What Pillow calls `has_transparency_data` from 10.1 on; Debian 12 has 9.4."""
    if picture.mode in _WITH_ALPHA or "transparency" in picture.info:
        return True
    return picture.palette is not None and picture.palette.mode.endswith("A")


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Deep grey scaled, not clipped, to 8 bits."""
    values = np.asarray(picture).astype(np.int64).clip(0, 65535)
    return Image.fromarray(((values * 255 + 32767) // 65535).astype(np.uint8))


def _over_white(picture: Image.Image) -> Image.Image:
    rgba = picture.convert("RGBA")
    rgb = rgba.convert("RGB")
    rgb.info["icc_profile"] = picture.info.get("icc_profile")
    white = Image.new("RGB", picture.size, "white")
    white.paste(_to_srgb(rgb), mask=rgba.getchannel("A"))
    return white


def _to_srgb(picture: Image.Image) -> Image.Image:
    """Apply an embedded ICC profile; a broken or unfitting one is ignored, as viewers do."""
    profile = picture.info.get("icc_profile")
    if picture.mode == "P":
        picture = picture.convert("RGB")
    if not profile or b"sRGB" in profile or "sRGB".encode("utf-16-be") in profile:
        return picture
    from PIL import ImageCms  # most pictures carry no profile

    try:
        return (
            ImageCms.profileToProfile(
                picture, io.BytesIO(profile), ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
            or picture
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture
