"""Mutated images of every format and mode: the same for the same seed and number."""

from __future__ import annotations

import io
import random
import struct
import zlib
from functools import cache

import numpy as np
from PIL import Image, ImageCms

_SIZE = (56, 44)
_INTERESTING = (0, 1, 0x7F, 0x80, 0xFF)
_WIDE = (0, 1, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_HEAD = 200  # bytes, in which half of the changes are made: there are the headers


def _save(image: Image.Image, format: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def _pixels() -> Image.Image:
    rng = np.random.default_rng(11)
    small = Image.fromarray(rng.integers(0, 256, (4, 5, 4), np.uint8), "RGBA")
    return small.resize(_SIZE, Image.Resampling.BICUBIC)


@cache
def make_seeds() -> tuple[bytes, ...]:
    """Return the images that are mutated."""
    rgba = _pixels()
    rgb = rgba.convert("RGB")
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x011A] = 6, "maker", 72.0
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = profile.replace("sRGB".encode("utf-16-be"), "tRGB".encode("utf-16-be"))
    deep = Image.fromarray(np.asarray(rgb.convert("L")).astype(np.uint16) * 257)
    frames = {"save_all": True, "append_images": [rgb.rotate(90), rgb.rotate(40)]}
    palette = rgb.quantize(16)
    return (
        *(_save(rgb.convert(mode), "JPEG") for mode in ("L", "RGB", "CMYK")),
        _save(rgb, "JPEG", progressive=True, exif=exif, icc_profile=profile, comment=b"hello"),
        _save(rgb, "MPO", save_all=True, append_images=[rgb]),
        *(_save(rgba.convert(mode), "PNG") for mode in ("1", "L", "LA", "RGB", "RGBA")),
        _save(palette, "PNG", transparency=bytes(range(16)), exif=exif),
        _save(rgb, "PNG", transparency=(1, 2, 3), icc_profile=profile, dpi=(9, 9)),
        _save(deep, "PNG"),
        _save(rgb, "PNG", **frames),
        *(_save(rgba.convert(mode), "BMP") for mode in ("1", "L", "RGB", "RGBA")),
        _save(palette, "BMP"),
        _make_runs(),
        _save(palette, "GIF", transparency=3, comment=b"hello"),
        _save(rgb, "GIF", **frames),
        _save(rgb, "WEBP", exif=exif, icc_profile=profile),
        _save(rgba, "WEBP"),
        _save(rgba, "WEBP", lossless=True),
        _save(rgb, "WEBP", **frames),
    )


def _make_runs() -> bytes:
    width, height = _SIZE
    head = struct.pack(
        "<2sIHHIIiiHHIIiiII", b"BM", 0, 0, 0, 1078, 40, width, height, 1, 8, 1, 0, 0, 0, 256, 0
    )
    return head + bytes(range(256)) * 4 + bytes([width, 9, 0, 0]) * height + b"\0\1"


def make_mutant(number: int, *, seed: int = 0) -> bytes:
    """Return a mutated image.

    Args:
        number: Which one.
        seed: Seed of all.
    """
    rng = random.Random(f"{seed}/{number}")
    seeds = make_seeds()
    content = bytearray(seeds[number % len(seeds)])
    mutate(rng, content)
    if content.startswith(b"\x89PNG") and rng.random() < 0.7:
        mend_checksums(content)  # or nothing behind them is ever reached
    return bytes(content)


def mutate(rng: random.Random, content: bytearray) -> None:
    """Change a file in place, by one to eight mutations."""
    for _ in range(rng.choice((1, 1, 2, 3, 8))):
        rng.choice(_MUTATIONS)(rng, content)
        if not content:
            break


def _choose_place(rng: random.Random, content: bytearray) -> int:
    end = min(len(content), _HEAD) if rng.random() < 0.5 else len(content)
    return rng.randrange(end)


def _flip(rng: random.Random, content: bytearray) -> None:
    content[_choose_place(rng, content)] ^= 1 << rng.randrange(8)


def _set(rng: random.Random, content: bytearray) -> None:
    content[_choose_place(rng, content)] = rng.choice((*_INTERESTING, rng.randrange(256)))


def _set_number(rng: random.Random, content: bytearray) -> None:
    place = _choose_place(rng, content)
    form = rng.choice((">I", "<I", ">H", "<H"))
    value = struct.pack(form, rng.choice(_WIDE) & (0xFFFFFFFF if form[1] == "I" else 0xFFFF))
    content[place : place + len(value)] = value


def _cut(rng: random.Random, content: bytearray) -> None:
    del content[rng.randrange(1, len(content) + 1) :]


def _remove(rng: random.Random, content: bytearray) -> None:
    place = _choose_place(rng, content)
    del content[place : place + rng.choice((1, 4, 64))]


def _repeat(rng: random.Random, content: bytearray) -> None:
    place, length = _choose_place(rng, content), rng.choice((1, 12, 200))
    content[place:place] = content[place : place + length] * rng.choice((1, 3, 50))


def _insert(rng: random.Random, content: bytearray) -> None:
    place = _choose_place(rng, content)
    content[place:place] = rng.randbytes(rng.choice((1, 7, 300)))


def _splice(rng: random.Random, content: bytearray) -> None:
    other = rng.choice(make_seeds())
    content[_choose_place(rng, content) :] = other[rng.randrange(len(other)) :]


_MUTATIONS = (_flip, _flip, _set, _set, _set_number, _cut, _remove, _repeat, _insert, _splice)


def mend_checksums(content: bytearray) -> None:
    place = 8
    while place + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, place)
        end = place + 8 + length
        if end + 4 > len(content):
            return
        struct.pack_into(">I", content, end, zlib.crc32(content[place + 4 : end]))
        place = end + 4
