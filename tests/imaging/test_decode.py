from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from edgeemo.errors import ImageError
from edgeemo.imaging.decode import open_image


@pytest.fixture
def turned(tmp_path):
    """A JPEG of 40x20 pixels that a viewer shows upright as 20x40."""
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "turned.jpg"
    Image.new("L", (40, 20), 200).save(path, exif=exif)
    return path


def test_an_opened_image_knows_its_name_size_and_encoding(turned):
    with open_image(turned) as opened:
        assert (opened.name, opened.is_encoded) == (str(turned), True)
        assert (opened.mode, opened.stored_size, opened.size) == ("L", (40, 20), (20, 40))
        decoded = opened.decode(grey=True)
    assert (decoded.mode, decoded.size) == ("L", (20, 40))
    assert decoded.getpixel((0, 0)) == 200  # decoded pixels outlive the file


def test_pixels_are_not_encoded_and_have_no_name():
    for source in (Image.new("RGB", (4, 3)), np.zeros((3, 4), np.uint8)):
        with open_image(source) as opened:
            assert (opened.name, opened.is_encoded, opened.size) == ("image", False, (4, 3))


def test_an_image_of_the_caller_stays_open(turned):
    with Image.open(turned) as image:
        with open_image(image) as opened:
            assert opened.decode(grey=False).mode == "RGB"
        assert image.getpixel((0, 0)) == 200


def test_a_file_is_closed_without_decoding(turned):
    with open_image(turned) as opened:
        pass
    with pytest.raises(ImageError, match=r"turned\.jpg: the image is damaged or cut short"):
        opened.decode(grey=True)


def test_a_jpeg_is_decoded_at_a_reduced_scale_that_suffices():
    file = io.BytesIO()
    Image.new("RGB", (800, 400), "red").save(file, "JPEG")
    with open_image(file.getvalue()) as opened:
        decoded = opened.decode(grey=False, min_size=(90, 45))
    assert decoded.size == (100, 50)
