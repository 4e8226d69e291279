"""Image files cut out of a stream of bytes."""

from __future__ import annotations

import io
import random
import time

import pytest
from PIL import Image

from edgeemo.live.sources import image_splitter
from edgeemo.live.sources.image_splitter import ImageSplitter


def encode(number: int, format: str = "JPEG", **options: object) -> bytes:
    """Return an image file with noise, of a size that the number tells."""
    image = Image.effect_noise((40 + number, 30), 90).convert("RGB")
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def _with_thumbnail(number: int) -> bytes:
    exif = b"Exif\0\0" + encode(number)
    return encode(number, exif=exif)


FILES = [
    encode(0),
    encode(1, progressive=True, quality=95),
    encode(2, "PNG"),
    _with_thumbnail(3),
    encode(4, restart_marker_rows=1),
    encode(5, comment=b"\xff\xd8\xff\xd9 a comment with marks"),
]


def split(stream: bytes, size: int) -> tuple[list[bytes], ImageSplitter]:
    splitter = ImageSplitter()
    parts = [stream[at : at + size] for at in range(0, len(stream), size)]
    files = [file for part in parts for file in splitter.feed(part)]
    splitter.finish()
    return files, splitter


@pytest.mark.parametrize("size", [1, 7, 1000, 10**6])
@pytest.mark.parametrize("between", [b"", b"\r\n--F\r\nContent-Length: 99\r\n\r\n", b"\xff\0\xff"])
def test_files_come_out_as_they_went_in(size: int, between: bytes):
    stream = between + between.join(FILES) + between
    files, splitter = split(stream, size)
    assert files == FILES
    assert splitter.damaged == 0


def test_a_file_is_complete_with_its_last_byte():
    splitter = ImageSplitter()
    assert list(splitter.feed(FILES[0][:-1])) == []
    assert list(splitter.feed(FILES[0][-1:])) == [FILES[0]]


@pytest.mark.parametrize("keep", [3, 30, 300, -1])
def test_cut_off_file_costs_itself(keep: int):
    stream = FILES[0] + FILES[1][:keep] + b"\r\n--F\r\n\r\n" + FILES[4] + FILES[5]
    files, splitter = split(stream, 100)
    assert files[0] == FILES[0]
    assert files[-1] == FILES[5]
    assert splitter.damaged >= 1
    assert split(FILES[0] + FILES[4][:-2], 50)[1].damaged == 1


def test_garbage_takes_no_memory_and_little_time(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(image_splitter, "MAX_BYTES", 100_000)
    rng, splitter = random.Random(1), ImageSplitter()
    begun = time.thread_time()
    for _ in range(200):
        list(splitter.feed(rng.randbytes(10_000)))
        list(splitter.feed(FILES[0][:-2]))
        assert len(splitter._data) <= 110_000
    assert time.thread_time() - begun < 0.5
    list(splitter.feed(bytes(200_000)))
    assert list(splitter.feed(FILES[3])) == [FILES[3]]
