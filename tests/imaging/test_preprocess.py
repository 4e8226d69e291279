from __future__ import annotations

import hashlib
import io
import struct
import sys
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageDraw

from edgeemo.errors import ImageError, ImageTypeError, NoFaceError
from edgeemo.imaging.faces import build_detector
from edgeemo.imaging.preprocess import preprocess, preprocess_faces
from edgeemo.model.face_settings import FaceSettings
from edgeemo.model.spec import ModelSpec

if TYPE_CHECKING:
    from pathlib import Path

_RGB = ModelSpec(labels=("a", "b"), height=24, width=32, channels=3)
_GREY = ModelSpec(labels=("a", "b"), height=24, width=32, channels=1)


def _scene(size=(96, 72), mode="RGB"):
    image = Image.new("RGB", size, (200, 180, 40))
    draw = ImageDraw.Draw(image)
    draw.ellipse((8, 8, size[0] // 2, size[1] - 8), fill=(30, 90, 220))
    draw.rectangle((size[0] // 2, 4, size[0] - 6, size[1] // 3), fill=(220, 30, 60))
    return image.convert(mode)


def _encode(image, format="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def _digest(array):
    return hashlib.sha256(array.tobytes()).hexdigest()[:16]


@pytest.mark.parametrize("spec", [_RGB, _GREY])
@pytest.mark.parametrize("format", ["JPEG", "PNG", "BMP", "WEBP", "GIF"])
def test_shape_type_and_order(spec, format, tmp_path):
    path = tmp_path / "image.with.no.suffix"
    path.write_bytes(_encode(_scene(), format))
    array = preprocess(path, spec)
    assert array.shape == (24, 32, spec.channels)
    assert array.dtype == np.uint8
    assert array.flags.c_contiguous
    assert np.array_equal(array, preprocess(path.read_bytes(), spec))
    assert np.array_equal(array, preprocess(str(path), spec))


def test_exact_arrays_of_drawn_images():
    """The same bytes on every machine: Pillow decodes and resizes in integers."""
    big = _scene((960, 720))
    digests = {
        "png": _digest(preprocess(_encode(_scene()), _RGB)),
        "png grey": _digest(preprocess(_encode(_scene()), _GREY)),
        "upscaled": _digest(preprocess(_encode(_scene((24, 18))), _RGB)),
        "tall": _digest(preprocess(_encode(_scene((60, 400))), _RGB)),
        "wide": _digest(preprocess(_encode(_scene((400, 60))), _RGB)),
    }
    assert digests == {
        "png": "ac7cb555bcfc55a4",
        "png grey": "7c030d062f5afe1d",
        "upscaled": "2156b57e2ca6d753",
        "tall": "5fdd8f33fa33f313",
        "wide": "5d5bb101e3642791",
    }
    jpeg = _encode(big, "JPEG", quality=90)
    assert np.abs(preprocess(jpeg, _RGB).astype(int) - preprocess(big, _RGB)).mean() < 3


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_exif_orientation_is_applied(orientation, format):
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_270,
    }  # fmt: skip
    upright = _scene()
    stored = upright.transpose(undo[orientation]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    shown = preprocess(_encode(stored, format, exif=exif), _RGB)
    expected = preprocess(_encode(upright, format), _RGB)
    tolerance = 0 if format == "PNG" else 3  # JPEG blocks lie elsewhere in a turned image
    assert np.abs(shown.astype(int) - expected).mean() <= tolerance


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "PA"])
def test_transparency_lies_over_white(mode):
    image = Image.new("RGBA", (40, 30), (255, 0, 0, 0)).convert(mode)
    if mode == "P":
        image.info["transparency"] = 0
        image.putdata([0] * 1200)
    format = "PNG" if mode != "PA" else "TIFF"
    source = image if mode == "PA" else _encode(image, format)
    assert (preprocess(source, _RGB) == 255).all()


def test_half_transparent_black_is_mid_grey():
    image = Image.new("RGBA", (40, 30), (0, 0, 0, 128))
    assert np.unique(preprocess(_encode(image), _RGB)).tolist() == [127]


def test_sixteen_bits_are_scaled_not_clipped():
    ramp = np.linspace(0, 65535, 32).astype(np.uint16)[None].repeat(24, 0)
    array = preprocess(_encode(Image.fromarray(ramp)), _GREY)[0, :, 0]
    assert array.tolist() == [round(value * 255 / 65535) for value in ramp[0].tolist()]


def test_palettes_and_bits_are_expanded():
    assert preprocess(_encode(_scene(mode="P")), _RGB).std(axis=(0, 1)).min() > 20
    assert set(np.unique(preprocess(_encode(Image.new("1", (40, 30), 1)), _RGB))) == {255}


def test_adobe_cmyk_is_not_inverted():
    """Pillow writes the Adobe marker and inverted inks, as Photoshop does."""
    white = Image.new("CMYK", (40, 30), (0, 0, 0, 0))
    red = Image.new("CMYK", (40, 30), (0, 255, 255, 0))
    assert preprocess(_encode(white, "JPEG"), _RGB).min() > 250
    assert preprocess(_encode(red, "JPEG"), _RGB).mean(axis=(0, 1)).round().tolist() == [255, 0, 0]


def test_an_embedded_profile_is_turned_to_srgb():
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile = profile.replace("sRGB".encode("utf-16-be"), "tRGB".encode("utf-16-be"))
    red, green = profile.index(b"rXYZ"), profile.index(b"gXYZ")
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"  # swap two primaries
    image = Image.new("RGB", (40, 30), (250, 10, 10))
    seen = preprocess(_encode(image, icc_profile=bytes(profile)), _RGB).mean(axis=(0, 1))
    assert seen[1] > 200 > 60 > seen[0]


def test_a_broken_profile_is_ignored_as_viewers_do():
    plain = preprocess(_encode(_scene()), _RGB)
    assert np.array_equal(preprocess(_encode(_scene(), icc_profile=b"nonsense" * 20), _RGB), plain)


def test_an_image_already_decoded_is_close_to_its_file():
    image = _scene((640, 480))
    jpeg = preprocess(_encode(image, "JPEG", quality=95), _RGB).astype(int)
    for seen in (preprocess(image, _RGB), preprocess(np.asarray(image), _RGB, color="rgb")):
        assert np.abs(jpeg - seen).mean() < 2


def test_a_handed_in_image_stays_open_and_unchanged(tmp_path):
    path = tmp_path / "a.jpg"
    _scene((640, 480)).save(path)
    with Image.open(path) as image:
        preprocess(image, _RGB)
        assert image.size == (640, 480)
        assert image.getpixel((0, 0))


@pytest.mark.parametrize(
    "array",
    [np.zeros((4, 4, 2), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3), np.float32)],
)
def test_arrays_of_another_kind_are_refused(array):
    with pytest.raises(ImageTypeError, match=r"\(H, W, 3\)|requires color=|uint8"):
        preprocess(array, _RGB)


def test_bad_files_get_one_line(tmp_path):
    whole = _encode(_scene((300, 200)), "JPEG")
    cases = {
        "text.jpg": (b"hello", "not an image"),
        "empty.png": (b"", "not an image"),
        "cut.jpg": (whole[: len(whole) // 2], "cut short"),
        "head.jpg": (whole[:30], "damaged"),
        "cut.png": (_encode(_scene())[:200], "damaged"),
    }
    for name, (content, message) in cases.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(ImageError, match=message) as error:
            preprocess(path, _RGB)
        assert str(path) in str(error.value)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["gone.jpg", "."])
def test_what_cannot_be_read_is_named(tmp_path, name):
    with pytest.raises(ImageError, match="cannot be read"):
        preprocess(tmp_path / name, _RGB)


@pytest.mark.parametrize("side", [9_500, 20_000])
def test_a_decompression_bomb_is_refused(side):
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    bomb = bytearray(_encode(Image.new("RGB", (8, 8))))
    bomb[16:29] = header
    bomb[29:33] = struct.pack(">I", zlib.crc32(b"IHDR" + header))
    with pytest.raises(ImageError, match="pixels"):
        preprocess(bytes(bomb), _RGB)


@settings(max_examples=150)
@given(data=st.data(), format=st.sampled_from(["JPEG", "PNG", "BMP", "GIF", "WEBP"]))
def test_broken_bytes_never_raise_anything_else(data, format):
    broken = bytearray(_encode(_scene((40, 30)), format))
    for _ in range(data.draw(st.integers(1, 6))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert preprocess(bytes(broken), _RGB).shape == (24, 32, 3)
    except ImageError as error:
        assert "\n" not in str(error)


def test_cameras_orientation_tags(data_dir: Path):
    """The eight variants of one photograph look alike once turned."""
    for kind in ("landscape", "portrait"):
        arrays = [
            preprocess(data_dir / "exif" / "orientation" / f"{kind}_{tag}.jpg", _RGB).astype(int)
            for tag in range(1, 9)
        ]
        for array in arrays[1:]:
            assert np.abs(array - arrays[0]).mean() < 8


@pytest.mark.parametrize("folder", ["exif/invalid", "strays", "photos"])
def test_real_images_are_read(data_dir: Path, folder):
    for path in sorted((data_dir / folder).rglob("*.*")):
        assert preprocess(path, _GREY).std() > 0, path


def test_only_the_plugin_needed_is_loaded(tmp_path):
    """Loading every plugin would cost a cold start half as much again."""
    import subprocess

    path = tmp_path / "a.png"
    path.write_bytes(_encode(_scene()))
    code = (
        "import sys\nfrom edgeemo.imaging.preprocess import preprocess\n"
        "from edgeemo.model.input_spec import InputSpec\n"
        "preprocess(sys.argv[1], InputSpec(height=8, width=8))\n"
        "print(*[m for m in sys.modules if m.endswith('ImagePlugin')])"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, text=True, check=True
    )
    assert shown.stdout.split() == ["PIL.PngImagePlugin"]


class TestFaces:
    """The same function, where the specification crops faces first."""

    detector = build_detector(FaceSettings())
    spec = ModelSpec(labels=("a", "b"), height=48, width=48, channels=1, faces=FaceSettings())

    def test_training_and_the_device_take_the_same_largest_face(self, data_dir):
        photo = data_dir / "photos" / "two_people.jpg"
        faces = preprocess_faces(photo, self.spec, detector=self.detector)
        assert len(faces) == 2
        assert faces[0][0].side > faces[1][0].side
        pixels = preprocess(photo, self.spec, detector=self.detector)
        np.testing.assert_array_equal(pixels, faces[0][1])
        assert {pixels.shape for _, pixels in faces} == {(48, 48, 1)}

    def test_bounding_boxes_are_in_pixels_of_the_whole_image(self, data_dir):
        """A camera's image is decoded at a reduced scale; its faces are not in those pixels."""
        with Image.open(data_dir / "photos" / "obama.jpg") as photo:
            large = photo.convert("RGB").resize((photo.width * 4, photo.height * 4))
        file = io.BytesIO()
        large.save(file, "JPEG")
        source = data_dir / "photos" / "obama.jpg"
        (small, _), *_ = preprocess_faces(source, self.spec, detector=self.detector)
        (found, pixels), *_ = preprocess_faces(file.getvalue(), self.spec, detector=self.detector)
        assert abs(found.side - 4 * small.side) < 0.2 * found.side
        assert abs(found.left - 4 * small.left) < 0.2 * found.side
        assert pixels.shape == (48, 48, 1)

    def test_crops_are_taken_whole_where_the_model_was_trained_on_crops(self, data_dir):
        crop = next((data_dir / "fer2013_original" / "test" / "happy").iterdir())
        cropped = replace(self.spec, faces=FaceSettings(cropped=True))
        plain = replace(self.spec, faces=None)
        np.testing.assert_array_equal(preprocess(crop, cropped), preprocess(crop, plain))
        assert preprocess_faces(data_dir / "photos" / "obama.jpg", cropped, detector=self.detector)

    def test_without_a_face_there_is_no_prediction(self, tmp_path):
        wall = tmp_path / "wall.png"
        Image.new("RGB", (300, 200), "grey").save(wall)
        assert preprocess_faces(wall, self.spec, detector=self.detector) == ()
        with pytest.raises(NoFaceError, match=r"wall\.png: no face"):
            preprocess(wall, self.spec, detector=self.detector)
