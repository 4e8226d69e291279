"""Makers of the worst images of each kind: large photos, and small files that cost much to decode.

    python benchmarks/reliability/worst_images.py FOLDER [NAME ...]

Each maker returns the bytes of one file; the same bytes at every call. `PHOTOS` are of 12
megapixels, one for each mode and format, and must be predicted. `HOSTILE` must be predicted or
refused within the bounds of `images.py`.
"""

from __future__ import annotations

import io
import struct
import sys
import zlib
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageCms

if TYPE_CHECKING:
    from collections.abc import Callable

Image.MAX_IMAGE_PIXELS = None
_PHOTO = (4000, 3000)
_SIDE = 9459  # the largest square that edgeemo opens at all
_PNG = b"\x89PNG\r\n\x1a\n"
_TEXT = 1 << 20  # Pillow's limit for one text chunk, in bytes


@cache
def _scene() -> np.ndarray:
    """Return 12 megapixels that look like a photo: smooth areas with noise; (H, W, 4) uint8."""
    rng = np.random.default_rng(7)
    width, height = _PHOTO
    small = Image.fromarray(rng.integers(0, 256, (24, 32, 4), np.uint8), "RGBA")
    smooth = np.asarray(small.resize(_PHOTO, Image.Resampling.BICUBIC)).astype(np.int16)
    noise = rng.integers(-6, 7, (height, width, 1), np.int16)
    return (smooth + noise).clip(0, 255).astype(np.uint8)


def _photo(mode: str) -> Image.Image:
    image = Image.fromarray(_scene(), "RGBA")
    if mode == "I;16":
        return Image.fromarray(_scene()[..., 0].astype(np.uint16) * 257)
    if mode == "P":
        return image.convert("RGB").quantize(64, method=Image.Quantize.FASTOCTREE)
    return image if mode == "RGBA" else image.convert("RGB").convert(mode)


def _save(image: Image.Image, format: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def _save_photo(mode: str, format: str, **options: object) -> bytes:
    return _save(_photo(mode), format, **options)


def _exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def _profile() -> bytes:
    """Return an ICC profile that is not sRGB."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace("sRGB".encode("utf-16-be"), "tRGB".encode("utf-16-be"))


def _animation(format: str, count: int, **options: object) -> bytes:
    frames = [_photo("RGB").resize((800, 600)).rotate(angle) for angle in range(count)]
    return _save(frames[0], format, save_all=True, append_images=frames[1:], **options)


def _transparent_palette() -> bytes:
    return _save(_photo("P"), "PNG", transparency=bytes(range(64)))


def _chunk(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(
        ">I", zlib.crc32(kind + payload)
    )  # fmt: skip


def make_png(
    width: int,
    height: int,
    *,
    bits: int = 8,
    colour: int = 2,
    interlaced: bool = False,
    chunks: bytes = b"",
    data: bytes | None = None,
) -> bytes:
    """Return a PNG of zeros, whose header and chunks are as given."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, int(interlaced))
    palette = _chunk(b"PLTE", bytes(768)) if colour == 3 else b""
    if data is None:
        channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
        row = (width * channels * bits + 7) // 8 + 1
        squeeze = zlib.compressobj(9)
        piece, left = bytes(1 << 20), row * height + (height * 8 if interlaced else 0)
        parts = [squeeze.compress(piece[:left])] if left < len(piece) else []
        if not parts:
            parts = [squeeze.compress(piece) for _ in range(left // len(piece) + 1)]
        data = b"".join([*parts, squeeze.flush()])
    body = _chunk(b"IHDR", header) + palette + chunks + _chunk(b"IDAT", data)
    return _PNG + body + _chunk(b"IEND", b"")


def _noise_png() -> bytes:
    """Return 16-bit RGBA that zlib cannot press, the largest file that 12 megapixels need."""
    width, height = _PHOTO
    noise = np.random.default_rng(1).integers(0, 256, (height, width * 8 + 1), np.uint8)
    noise[:, 0] = np.arange(height) % 5  # every filter
    return make_png(width, height, bits=16, colour=6, data=zlib.compress(noise.tobytes(), 1))


def _zipped_texts(count: int) -> bytes:
    text = _chunk(b"zTXt", b"key\0\0" + zlib.compress(bytes(_TEXT - 1), 9))
    return make_png(64, 64, chunks=text * count)


def _ifd(entries: int, value_bytes: int) -> bytes:
    """Return a TIFF directory whose every tag takes the same, large value."""
    start = 8 + 2 + entries * 12 + 4
    head = b"II*\0" + struct.pack("<IH", 8, entries)
    rows = b"".join(
        struct.pack("<HHII", 1000 + number, 3, value_bytes // 2, start) for number in range(entries)
    )
    return head + rows + bytes(4 + value_bytes)


def _segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def _small_jpeg(*segments: bytes) -> bytes:
    jpeg = _save(Image.new("RGB", (64, 64), "red"), "JPEG")
    return b"".join([jpeg[:2], *segments, jpeg[2:]])


def _jpeg_of(width: int, height: int) -> bytes:
    """Return a short JPEG that says to be large: the decoder fills the rest with grey."""
    jpeg = bytearray(_save(Image.new("RGB", (64, 64), "red"), "JPEG"))
    start = jpeg.index(b"\xff\xc0") + 5
    jpeg[start : start + 4] = struct.pack(">HH", height, width)
    return bytes(jpeg)


def make_scans(width: int, height: int, count: int) -> bytes:
    """Return a progressive JPEG whose last scan is repeated."""
    jpeg = _save(Image.new("L", (width, height), 100), "JPEG", progressive=True, quality=50)
    last = jpeg.rindex(b"\xff\xda")
    return jpeg[:last] + jpeg[last:-2] * count + b"\xff\xd9"


def _gif(width: int, height: int, *, extension: bytes = b"") -> bytes:
    gif = _save(Image.new("P", (width, height)), "GIF")
    start = gif.index(b",", 13 + (3 * 2 ** ((gif[10] & 7) + 1) if gif[10] & 0x80 else 0))
    return gif[:start] + extension + gif[start:]


def _gif_comment(size: int) -> bytes:
    return _gif(64, 64, extension=b"\x21\xfe" + (b"\xff" + bytes(255)) * (size // 255) + b"\0")


def _bmp(width: int, height: int, bits: int, *, compression: int = 0, data: bytes = b"") -> bytes:
    colours = 2**bits if bits <= 8 else 0
    start = 54 + 4 * colours
    head = struct.pack(
        "<2sIHHIIiiHHIIiiII", b"BM", start + len(data), 0, 0, start,
        40, width, height, 1, bits, compression, len(data), 0, 0, colours, 0,
    )  # fmt: skip
    return head + bytes(4 * colours) + data


PHOTOS: dict[str, Callable[[], bytes]] = {
    **{f"jpeg-{mode}": partial(_save_photo, mode, "JPEG") for mode in ("L", "RGB", "CMYK")},
    "jpeg-444-q100": partial(_save_photo, "RGB", "JPEG", quality=100, subsampling=0),
    "jpeg-YCbCr": partial(_save_photo, "YCbCr", "JPEG"),
    "jpeg-progressive": partial(_save_photo, "RGB", "JPEG", progressive=True, subsampling=0),
    "jpeg-progressive-CMYK": partial(_save_photo, "CMYK", "JPEG", progressive=True, quality=95),
    "jpeg-turned": partial(_save_photo, "RGB", "JPEG", exif=_exif(6)),
    "jpeg-profile": partial(_save_photo, "RGB", "JPEG", icc_profile=_profile()),
    **{
        f"png-{mode.replace(';', '')}": partial(_save_photo, mode, "PNG", compress_level=1)
        for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
    },
    "png-P-transparent": _transparent_palette,
    "png-RGB-turned-profile": partial(
        _save_photo, "RGB", "PNG", compress_level=1, exif=_exif(6), icc_profile=_profile()
    ),
    "png-RGBA-turned": partial(_save_photo, "RGBA", "PNG", compress_level=1, exif=_exif(5)),
    "png-RGBA16-noise": _noise_png,
    "png-RGBA16-interlaced": partial(make_png, *_PHOTO, bits=16, colour=6, interlaced=True),
    **{f"bmp-{mode}": partial(_save_photo, mode, "BMP") for mode in ("1", "L", "P", "RGB", "RGBA")},
    "gif-P": partial(_save_photo, "P", "GIF"),
    "gif-animated": partial(_animation, "GIF", 12),
    "webp-lossy": partial(_save_photo, "RGB", "WEBP", method=0),
    "webp-lossy-alpha": partial(_save_photo, "RGBA", "WEBP", method=0),
    "webp-lossless": partial(_save_photo, "RGBA", "WEBP", lossless=True, method=0, quality=0),
    "webp-turned-profile": partial(
        _save_photo, "RGB", "WEBP", method=0, exif=_exif(6), icc_profile=_profile()
    ),
    "webp-animated": partial(_animation, "WEBP", 6, method=0),
}  # fmt: skip

HOSTILE: dict[str, Callable[[], bytes]] = {
    "png-16-bit": partial(make_png, _SIDE, _SIDE, bits=16, colour=0),
    "png-grey": partial(make_png, _SIDE, _SIDE, colour=0),
    "png-1-bit": partial(make_png, _SIDE, _SIDE, bits=1, colour=0),
    "png-palette": partial(make_png, _SIDE, _SIDE, colour=3),
    "png-RGB": partial(make_png, _SIDE, _SIDE),
    "png-RGBA16-interlaced": partial(
        make_png, _SIDE, _SIDE, bits=16, colour=6, interlaced=True
    ),
    **{
        f"png-RGB-{side}": partial(make_png, side, side, interlaced=True)
        for side in (4500, 5000, 5500, 6000, 6500, 7000)
    },
    "png-tall": partial(make_png, 1, _SIDE**2, colour=0),
    "png-wide": partial(make_png, _SIDE**2, 1, colour=0),
    "png-tall-RGB": partial(make_png, 100, 400_000),
    "png-wide-RGB": partial(make_png, 400_000, 100),
    "png-strip-RGB": partial(make_png, 13_000, 3_000),
    "png-zipped-texts": partial(_zipped_texts, 63),
    "png-large-text": lambda: make_png(64, 64, chunks=_chunk(b"tEXt", b"k\0" + bytes(60 << 20))),
    "png-large-private": lambda: make_png(64, 64, chunks=_chunk(b"vpAg", bytes(120 << 20))),
    "png-many-chunks": lambda: make_png(64, 64, chunks=_chunk(b"tIME", bytes(7)) * 1_000_000),
    "png-zipped-profile": lambda: make_png(
        64, 64, chunks=_chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(200 << 20), 9))
    ),
    "png-exif-bomb": lambda: make_png(64, 64, chunks=_chunk(b"eXIf", _ifd(5000, 1 << 20))),
    "jpeg-scans": partial(make_scans, 9400, 9400, 200),
    "jpeg-scans-12MP": partial(make_scans, 4000, 3000, 1000),
    "jpeg-scans-1MP": partial(make_scans, 1000, 1000, 10_000),
    "jpeg-short": partial(_jpeg_of, 9400, 9400),
    "jpeg-wide": partial(_jpeg_of, 65_500, 1_300),
    "jpeg-tall": partial(_jpeg_of, 1_300, 65_500),
    "jpeg-exif-repeated": lambda: _small_jpeg(*[_segment(0xE1, b"Exif\0\0" + bytes(60_000))] * 700),
    "jpeg-exif-tiny-segments": lambda: _small_jpeg(
        *[_segment(0xE1, b"Exif\0\0" + bytes(200))] * 50_000
    ),
    "jpeg-exif-bomb": lambda: _small_jpeg(_segment(0xE1, b"Exif\0\0" + _ifd(2700, 32_000))),
    "jpeg-mpf-bomb": lambda: _small_jpeg(_segment(0xE2, b"MPF\0" + _ifd(2700, 32_000))),
    "jpeg-comments": lambda: _small_jpeg(*[_segment(0xFE, bytes(65_000))] * 2000),
    "gif-large": partial(_gif, _SIDE, _SIDE),
    "gif-wide": partial(_gif, 50_000, 1),
    "gif-tall": partial(_gif, 1, 50_000),
    "gif-comment": partial(_gif_comment, 20 << 20),
    "bmp-short": partial(_bmp, _SIDE, _SIDE, 32),
    "bmp-wide": partial(_bmp, 1_000_000, 89, 8, data=bytes(1_000_000 * 89)),
    "bmp-runs": partial(_bmp, 4000, 3000, 8, compression=1, data=b"\1\7" * 12_000_000),
    "bmp-few-runs": partial(_bmp, 9000, 9000, 8, compression=1, data=b"\xff\7" * 320_000),
    "webp-large": lambda: _save(Image.new("RGB", (_SIDE, _SIDE)), "WEBP", lossless=True, method=0),
    "webp-6000": lambda: _save(Image.new("RGB", (6000, 6000)), "WEBP", lossless=True, method=0),
    "webp-5000": lambda: _save(Image.new("RGB", (5000, 5000)), "WEBP", method=0),
    "webp-many-frames": partial(_animation, "WEBP", 40, method=0),
}  # fmt: skip


def main() -> None:
    folder, *names = sys.argv[1:]
    everything = PHOTOS | {f"hostile-{name}": make for name, make in HOSTILE.items()}
    for name, make in everything.items():
        if not names or any(part in name for part in names):
            suffix = name.removeprefix("hostile-").partition("-")[0]
            Path(folder, f"{name}.{suffix}").write_bytes(make())


if __name__ == "__main__":
    main()
