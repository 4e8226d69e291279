"""The orientation is Pillow's, without its warnings and its memory."""

from __future__ import annotations

import io
import struct
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from edgeemo.imaging.orientation import read_orientation


def _pillow(info):
    image = Image.new("L", (1, 1))
    image.info = dict(info)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return int(image.getexif().get(0x0112, 1))
    except Exception:
        return 1


def _block(orientation, *, order="<", kind=3, count=1):
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8)
    value = struct.pack(f"{order}{'HH' if kind == 3 else 'I'}", *([orientation, 0][: 5 - kind]))
    rows = struct.pack(f"{order}HHHI", 2, 0x0100, 3, 1) + bytes(4)
    rows += struct.pack(f"{order}HHI", 0x0112, kind, count) + value
    return b"Exif\0\0" + head + rows + bytes(4)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", [3, 4])
def test_orders_and_types(order, kind):
    info = {"exif": _block(6, order=order, kind=kind)}
    assert read_orientation(info) == _pillow(info) == 6


@pytest.mark.parametrize("magic", [b"II\0*", b"MM*\0", b"MM\0+", b"II+\0", b"XX*\0"])
def test_wrong_headers_are_read_as_pillow_reads_them(magic):
    block = _block(6, order="<" if magic.startswith(b"I") else ">")
    info = {"exif": block[:6] + magic + block[10:]}
    assert read_orientation(info) == _pillow(info)


def test_other_places():
    packet = b'<x tiff:Orientation="8">'
    text = "\nexif\n  99\n" + _block(5)[6:].hex()
    for info, expected in (
        ({"xmp": packet}, 8),
        ({"XML:com.adobe.xmp": packet.decode()}, 8),
        ({"Raw profile type exif": text}, 5),
        ({}, 1),
        ({"exif": b""}, 1),
        ({"exif": b"nonsense"}, 1),
    ):
        assert read_orientation(info) == _pillow(info) == expected


@settings(max_examples=300)
@given(data=st.data())
def test_broken_blocks_are_read_as_pillow_reads_them(data):
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x0131] = data.draw(st.integers(1, 8)), "maker", "software"
    file = io.BytesIO()
    Image.new("L", (1, 1)).save(file, "JPEG", exif=exif)
    block = bytearray(Image.open(io.BytesIO(file.getvalue())).info["exif"])
    for _ in range(data.draw(st.integers(0, 2))):
        block[data.draw(st.integers(0, len(block) - 1))] = data.draw(st.integers(0, 255))
    info = {"exif": bytes(block)}
    found, expected = read_orientation(info), _pillow(info)
    assert found == expected or not 2 <= expected <= 8  # which stops at the first broken value
