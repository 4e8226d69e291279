"""Images that would take too much memory or time are refused, before they are decoded."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import threading
import time
import zlib

import numpy as np
import pytest
from PIL import Image

from edgeemo.errors import ImageError, ImageTooLargeError
from edgeemo.imaging import colours
from edgeemo.imaging.decode import open_image
from edgeemo.imaging.limits import MAX_BYTES, MAX_DEVICE_BYTES, MAX_FILE_BYTES, Room
from edgeemo.imaging.preprocess import preprocess
from edgeemo.model.input_spec import InputSpec

_SPEC = InputSpec(height=24, width=24)


def _save(image, format="PNG", **options):
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def _chunk(kind, payload):
    checksum = struct.pack(">I", zlib.crc32(kind + payload))
    return struct.pack(">I", len(payload)) + kind + payload + checksum


def _png(width=8, height=8, *, bits=8, colour=2, chunks=b""):
    """A PNG whose pixels end early: enough for what is refused before they are decoded."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    body = _chunk(b"IHDR", header) + chunks + _chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + body + _chunk(b"IEND", b"")


def _segment(marker, payload):
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def _jpeg(*segments, after=b"", **options):
    whole = _save(Image.new("L", (64, 64), 90), "JPEG", **options)
    return b"".join([whole[:2], *segments, whole[2:-2], after, whole[-2:]])


def _scans(side, count):
    whole = _save(Image.new("L", (side, side), 90), "JPEG", progressive=True)
    return whole[:-2] + whole[whole.rindex(b"\xff\xda") : -2] * count + whole[-2:]


def _runs():
    head = struct.pack(
        "<2sIHHIIiiHHIIiiII", b"BM", 0, 0, 0, 1078, 40, 3000, 2000, 1, 8, 1, 0, 0, 0, 256, 0
    )
    return head + bytes(1024) + b"\1\7" * 4_000_000


_DIRECTORY = b"II*\0" + struct.pack("<IH", 8, 2000) + struct.pack("<HHII", 1, 3, 10**4, 0) * 2000


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(_png(9400, 9400, bits=16, colour=0), "MB of memory", id="16 bits"),
        pytest.param(_png(9400, 9400), "MB of memory", id="RGB"),
        pytest.param(_png(1, 89_000_000, colour=0), "MB of memory", id="tall"),
        pytest.param(_png(40_000_000, 2, colour=0), "MB of memory", id="wide"),
        pytest.param(_png(chunks=_chunk(b"tEXt", b"k\0" + bytes(17 << 20))), "metadata", id="text"),
        pytest.param(_png(chunks=_chunk(b"tIME", bytes(7)) * 100_001), "parts", id="chunks"),
        pytest.param(_scans(1000, 3000), "seconds", id="scans"),
        pytest.param(
            _jpeg(*[_segment(0xE1, b"Exif\0\0" + bytes(9000))] * 1500), "seconds", id="exif"
        ),
        pytest.param(_jpeg(_segment(0xE1, b"Exif\0\0" + _DIRECTORY)), "metadata", id="values"),
        pytest.param(_jpeg(_segment(0xE2, b"MPF\0" + _DIRECTORY)), "metadata", id="MPO"),
        pytest.param(_jpeg(_segment(0xFE, b""), bytes(1 << 15)), "parts", id="junk"),
        pytest.param(_jpeg(b"\xff" * (1 << 15)), "parts", id="padding"),
        pytest.param(_runs(), "seconds", id="runs"),
        pytest.param(
            _save(Image.new("RGB", (5200, 5200)), "WEBP", lossless=True, method=0),
            "MB of memory",
            id="WebP",
        ),
        pytest.param(
            b"GIF89a\1\0\1\0\0\0\0" + b"!\xfe" + (b"\xff" + bytes(255)) * 70_000,
            "metadata",
            id="comment",
        ),
        pytest.param(b"\xff\xd8\xff" + bytes(MAX_FILE_BYTES), "128 MB", id="file"),
    ],
)
def test_an_image_that_costs_too_much_is_refused(content, reason):
    with pytest.raises(ImageTooLargeError, match=reason) as error:
        preprocess(content, _SPEC)
    assert "\n" not in str(error.value)


def test_metadata_in_many_segments_are_refused_before_pillow_joins_them():
    """Which takes their number times their size: half a minute."""
    content = _jpeg(*[_segment(0xE1, b"Exif\0\0" + bytes(200))] * 50_000)
    start = time.process_time()
    with pytest.raises(ImageTooLargeError, match=r"metadata takes about \d+ seconds"):
        open_image(content)
    assert time.process_time() - start < 1.5


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(_png(3000, 4000, bits=16, colour=6), id="RGBA of 16 bits"),
        pytest.param(_png(5000, 5000), id="25 megapixels"),
        pytest.param(_scans(1000, 50), id="scans"),
        pytest.param(_jpeg(*[_segment(0xE1, b"http" + bytes(60_000))] * 100), id="depth map"),
    ],
)
def test_large_images_of_ordinary_kinds_are_tried(content):
    try:
        preprocess(content, _SPEC)
    except ImageError as error:
        assert not isinstance(error, ImageTooLargeError)


def test_a_photo_of_twelve_megapixels_with_transparency_stays_within_a_device(tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(_save(Image.new("RGBA", (4000, 3000), (9, 99, 200, 77)), compress_level=1))
    code = (
        "import resource, sys\nfrom edgeemo.imaging.limits import *\n"
        "from edgeemo.imaging.decode import open_image\nROOM.max_bytes = MAX_DEVICE_BYTES\n"
        "with open_image(sys.argv[1]) as opened:\n    opened.decode(grey=False)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"
    )
    command = ["sh", "-c", f'"{sys.executable}" -c "$0" "$1"', code, str(path)]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(shown.stdout) <= 200  # and an engine's 56
    assert MAX_DEVICE_BYTES < MAX_BYTES


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "I;16", "F"])
@pytest.mark.parametrize("to", ["L", "RGB"])
def test_bands_are_the_whole(monkeypatch, mode, to):
    rng = np.random.default_rng(3)
    image = Image.fromarray(rng.integers(0, 256, (61, 37, 4), np.uint8), "RGBA")
    if mode == "I;16":
        image = Image.fromarray(rng.integers(0, 65536, (61, 37)).astype(np.uint16))
    elif mode == "F":
        image = Image.fromarray(rng.normal(30_000, 40_000, (61, 37)).astype(np.float32))
    else:
        image = (image if mode.endswith("A") else image.convert("RGB")).convert(mode)
    if mode == "P":
        image.info["transparency"] = 3
    whole = colours.convert(image, to)
    monkeypatch.setattr(colours, "BAND_PIXELS", 100)
    assert colours.convert(image, to).tobytes() == whole.tobytes()


def test_a_large_image_waits_for_room():
    room, order = Room(100 << 20), []
    first = room.take(60 << 20, name="first", seconds=0)

    def second() -> None:
        taken = room.take(60 << 20, name="second", seconds=0)
        order.append("second")
        room.give_back(taken)

    thread = threading.Thread(target=second)
    thread.start()
    assert room.take(1 << 20, name="small", seconds=0) == 0
    order.append("first leaves")
    room.give_back(first)
    thread.join(timeout=10)
    assert order == ["first leaves", "second"]


def test_room_is_given_back():
    image = _save(Image.new("RGB", (3000, 2000)), compress_level=1)
    for _ in range(20):
        with open_image(image) as opened:
            opened.decode(grey=True)


def test_a_png_may_say_its_orientation_behind_its_pixels():
    exif = Image.Exif()
    exif[0x0112] = 6
    whole = _save(Image.new("RGB", (40, 20), "red"), exif=exif)
    start = whole.index(b"eXIf") - 4
    (length,) = struct.unpack_from(">I", whole, start)
    chunk, end = whole[start : start + length + 12], whole.index(b"IEND") - 4
    moved = whole[:start] + whole[start + length + 12 : end] + chunk + whole[end:]
    for content in (whole, moved):
        with open_image(content) as opened:
            assert opened.size == (20, 40)
            assert opened.decode(grey=True).size == (20, 40)


def test_a_chunk_that_says_to_be_larger_than_the_file_is_the_decoders_matter():
    content = _save(Image.new("RGB", (40, 20), "red"))
    end = content.index(b"IEND") - 4
    odd = content[:end] + struct.pack(">I", 100 << 20) + b"tEXt" + bytes(9000)
    assert preprocess(odd, _SPEC).shape == (24, 24, 3)
