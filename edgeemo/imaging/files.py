"""Image files: their formats, and the opening of one by its content.

Nothing but a regular file is read: a pipe would block, and a device never ends.
"""

from __future__ import annotations

import errno
import io
import os
import stat
import struct
from importlib import import_module
from typing import TYPE_CHECKING

from PIL import Image

from edgeemo.errors import ImageError, ImageTooLargeError
from edgeemo.imaging.limits import MAX_FILE_BYTES, MAX_PIXELS, Cost, require_pixels

if TYPE_CHECKING:
    from typing import BinaryIO

    from PIL.ImageFile import ImageFile

FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "GIF")
"""Formats that are decoded, as Pillow names them. A camera's MPO opens as a JPEG."""

_NO_IMAGE = f"not an image ({', '.join(FORMATS)})"

HEAD_BYTES = 16
"""Number of bytes of a file that `sniff` needs."""

_PLUGINS = {"WEBP": "WebP"}

_READ_BYTES = 1 << 22
"""Number of bytes that a decoder is fed at a time: most files whole. Pillow's own 64 kB pieces
scatter the heap so that it grows by 8 MB over the first thousands of images."""

_SMALL_BYTES = 1 << 16
"""A file of up to so many bytes is read at once: Pillow would read it in thirty steps."""

_HARMLESS_BYTES, _HARMLESS_PIXELS = 1 << 13, 1 << 20
"""A file of up to so many bytes and pixels costs little, whatever its headers say."""

_MALFORMED = (SyntaxError, IndexError, TypeError, struct.error)  # as Pillow's plugins say it

_OPEN_FLAGS = os.O_RDONLY
for _flag in (
    "O_NONBLOCK",
    "O_CLOEXEC",
    "O_BINARY",
):  # the last on Windows alone, which lacks others
    _OPEN_FLAGS |= getattr(os, _flag, 0)

_RUNS, _WEBP_PIXELS = 2.5e6, 30e6  # per second


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


def open_file(
    source: str | os.PathLike[str] | bytes, name: str
) -> tuple[Image.Image, BinaryIO, Cost]:
    """Open an image file, judged by its content, without decoding its pixels.

    Args:
        source: Its path or its bytes.
        name: Its name in messages.

    Returns:
        The image, the file that it reads, which the caller closes, and the cost of its decoding.

    Raises:
        ImageError: If it cannot be read, is in none of `FORMATS`, or is beyond a limit.
    """
    try:
        stream = io.BytesIO(source) if isinstance(source, bytes) else _open_regular(source)
    except (OSError, ValueError) as error:
        raise ImageError(f"{name}: cannot be read: {_reason(error)}") from None
    try:
        image, cost = _open_stream(stream, name)
    except BaseException as error:
        stream.close()
        if isinstance(error, ImageError) or not isinstance(error, Exception):
            raise
        raise _explain(error, name) from None
    return image, stream, cost


def load_webp(image: Image.Image) -> Image.Image:
    """Return the first frame of an opened WebP, without the copy that Pillow makes of it.

    Raises:
        ValueError: If the image is damaged.
    """
    decoder = getattr(image, "_decoder", None)
    mode = getattr(image, "rawmode", None)
    if decoder is None or mode not in ("RGBA", "RGBX"):
        return image
    image._decoder = None  # type: ignore[attr-defined]  # and its canvases, after this
    frame = decoder.get_next()
    if frame is None:
        raise ValueError("its first frame cannot be decoded")
    pixels = Image.frombuffer(mode, image.size, frame[0], "raw", mode, 0, 1)
    pixels.info = image.info
    return pixels


def explain_failure(error: Exception) -> str:
    """Return why an image cannot be decoded, in words."""
    if isinstance(error, MemoryError):
        return "there is not enough memory to decode it"
    return f"the image is damaged or cut short ({_reason(error)})"


def _open_regular(path: str | os.PathLike[str]) -> BinaryIO:
    if hasattr(path, "fetch"):  # in a bucket: `edgeemo.bulk.bucket_path`
        content = path.fetch(max_bytes=MAX_FILE_BYTES)
        if content is None:
            raise _refuse_size(os.fspath(path))
        return io.BytesIO(content)
    descriptor = os.open(path, _OPEN_FLAGS)
    status = os.fstat(descriptor)
    if stat.S_ISREG(status.st_mode):
        if status.st_size > _SMALL_BYTES:
            return os.fdopen(descriptor, "rb")
        try:
            return io.BytesIO(os.read(descriptor, _SMALL_BYTES))
        finally:
            os.close(descriptor)
    os.close(descriptor)
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    raise ValueError("it is a pipe or a device, not a file")


def _open_stream(stream: BinaryIO, name: str) -> tuple[Image.Image, Cost]:
    format = sniff(stream.read(HEAD_BYTES))
    if format is None:
        from edgeemo.utils.git_lfs import LFS_BEGIN, describe_pointer

        stream.seek(0)
        pointer = describe_pointer(stream.read(len(LFS_BEGIN)), "image")
        raise ImageError(f"{name}: {pointer or _NO_IMAGE}")
    size_bytes = stream.seek(0, os.SEEK_END)
    if size_bytes > MAX_FILE_BYTES:
        raise _refuse_size(name)
    cost = _measure_headers(stream, format, name) if size_bytes > _HARMLESS_BYTES else None
    stream.seek(0)
    image = _open_with_plugin(stream, format)
    image.decodermaxblock = _READ_BYTES
    require_pixels(name, image.size)
    pixels = image.width * image.height
    if format == "WEBP":  # its decoder has two canvases, and the file
        cost = Cost(8 * pixels + size_bytes, pixels / _WEBP_PIXELS)
    elif format == "BMP":
        packed = any(tile[0] == "bmp_rle" for tile in image.tile)
        cost = Cost(0, size_bytes / 2 / _RUNS if packed else 0)
    elif cost is None and pixels > _HARMLESS_PIXELS:
        place = stream.tell()
        cost = _measure_headers(stream, format, name)
        stream.seek(place)
    return image, cost or Cost()


def _refuse_size(name: str) -> ImageTooLargeError:
    return ImageTooLargeError(f"{name}: the file has more than {MAX_FILE_BYTES // 2**20} MB")


def _open_with_plugin(stream: BinaryIO, format: str) -> ImageFile:
    """Open an image as `PIL.Image.open` does, which warns and loads plugins not needed."""
    import_module(f"PIL.{_PLUGINS.get(format, format.title())}ImagePlugin")
    factory, accept = Image.OPEN[format]
    accepted = accept(stream.read(HEAD_BYTES)) if accept else True
    if accepted is not True:
        raise SyntaxError(accepted or "not of its format")
    stream.seek(0)
    return factory(stream, "")


def _measure_headers(stream: BinaryIO, format: str, name: str) -> Cost:
    if format == "JPEG":
        from edgeemo.imaging.jpeg_header import measure_jpeg

        return measure_jpeg(stream, name)
    from edgeemo.imaging import headers

    if format == "PNG":
        return headers.measure_png(stream, name)
    return headers.measure_gif(stream, name) if format == "GIF" else Cost()


def _explain(error: Exception, name: str) -> ImageError:
    """Return the error of an image that Pillow does not open."""
    if isinstance(error, Image.DecompressionBombError):
        return ImageTooLargeError(f"{name}: more than {MAX_PIXELS:,} pixels; make it smaller")
    if isinstance(error, _MALFORMED):
        return ImageError(f"{name}: the image is damaged")
    if isinstance(error, OSError) and error.errno:
        return ImageError(f"{name}: cannot be read: {_reason(error)}")
    return ImageError(f"{name}: {explain_failure(error)}")


def _reason(error: Exception) -> str:
    from edgeemo.utils.text import one_line

    return one_line(error.strerror if isinstance(error, OSError) and error.strerror else error)
