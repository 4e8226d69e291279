"""Masks, pixelated faces, and options that exclude each other."""

from __future__ import annotations

import io
import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from edgeemo.errors import OptionError
from edgeemo.imaging.faces import Face
from edgeemo.live.frame import Frame
from edgeemo.live.options import LiveOptions
from edgeemo.live.outputs.check import check_outputs, parse_size
from edgeemo.live.pixels import ImagePixels, JpegPixels
from edgeemo.live.privacy import MaskedPixels, MaskedSource, parse_mask, pixelate_faces

from .made import SPEC_WHOLE

SIZE = (64, 48)
_SIDES = st.tuples(*(st.integers(0, 80) for _ in range(2)), *(st.integers(1, 90) for _ in range(2)))


def _jpeg(size):
    stream = io.BytesIO()
    Image.new("RGB", size, "white").save(stream, "JPEG", quality=95)
    return JpegPixels(stream.getvalue())


def _text(box):
    return ",".join(map(str, box))


@given(_SIDES)
def test_a_mask_is_black_and_a_region_its_opposite(box):
    left, top, width, height = box
    inside = np.zeros(SIZE[::-1], bool)
    inside[top : top + height, left : left + width] = True
    pixels = ImagePixels(Image.new("RGB", SIZE, "white"))
    for masked, black in (
        (MaskedPixels(pixels, parse_mask([_text(box)], [])), inside),
        (MaskedPixels(pixels, parse_mask([], [_text(box)])), ~inside),
    ):
        assert masked.jpeg is None
        assert masked.size == SIZE
        assert (np.asarray(masked.decode()).any(axis=2) == ~black).all()
        assert (masked.luma().astype(bool) == ~black).all()


def test_nothing_of_a_masked_jpeg_shows_at_a_reduced_scale():
    pixels = _jpeg((1600, 1200))
    masked = MaskedPixels(pixels, parse_mask(["1,1,1598,1198"], []))
    small = np.asarray(masked.decode(SPEC_WHOLE))
    assert small.shape[1] < 800
    assert small[0, 0] == 0  # in part masked: black
    assert not small[1:-1, 1:-1].any()
    shown = MaskedPixels(pixels, parse_mask(["0,0,1600,600"], ["400,0,800,1200"]))
    luma = shown.luma()
    middle = luma[luma.shape[0] // 2 + 1 :, luma.shape[1] // 4 + 1 : luma.shape[1] * 3 // 4 - 1]
    assert middle.min() > 250
    assert int(luma.sum(dtype=int)) <= (middle.shape[0] + 1) * (middle.shape[1] + 2) * 255


def test_a_source_is_masked_before_anything_sees_it():
    class Stream:
        def read(self):
            return Frame(number=7, time_s=1.5, pixels=_jpeg(SIZE), name="a.jpg")

        def close(self):
            pass

    class Source:
        name, is_live, is_device, can_reopen = "camera", True, True, True

        def open(self):
            self.name = "/dev/video2"  # the first camera that gives a frame
            return Stream()

    source = MaskedSource(Source(), parse_mask(["0,0,999,999"], []))
    frame = source.open().read()
    assert source.name == "/dev/video2"
    assert (frame.number, frame.time_s, frame.name, source.is_device) == (7, 1.5, "a.jpg", True)
    assert frame.pixels.jpeg is None
    assert not np.asarray(frame.pixels.decode()).any()


@pytest.mark.parametrize(
    "text", ["", "1,2,3", "1,2,3,4,5", "a,b,c,d", "0,0,0,5", "-1,0,5,5", "1.5,0,5,5"]
)
def test_rectangles_that_are_none_are_refused(text):
    with pytest.raises(OptionError, match="--mask"):
        parse_mask([text], [])


def test_a_pixelated_face_has_few_colours_and_the_rest_stays():
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 255, (120, 160, 3), np.uint8)
    image = Image.fromarray(noise)
    pixelate_faces(image, [Face(60, 40, 40), Face(-20, 100, 30), Face(500, 500, 9)])
    found = np.asarray(image)
    assert len(np.unique(found[40:80, 60:100].reshape(-1, 3), axis=0)) <= 16
    assert (found[:20, :40] == noise[:20, :40]).all()
    assert (found[100:, 5:10] != noise[100:, 5:10]).any()


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"clip": 3.0}, "--clip requires --clips DIR"),
        ({"clips": "c"}, "--clips requires --clip SECONDS"),
        ({"no_images": True, "annotate": "a.mp4"}, "--no-images excludes --annotate"),
        ({"no_images": True, "clips": "c", "clip": 1.0}, "--no-images excludes --clips"),
        ({"no_images": True, "collect": "c"}, "--no-images excludes --collect"),
        ({"blur": True, "collect": "c"}, "--blur excludes --collect"),
        ({"annotate": "a.avi"}, "in .mp4 or .mkv, not"),
        ({"keep": "1 pound"}, "--keep takes a size such as 500MB or 1GB"),
        ({"keep": "0MB"}, "--keep takes a size"),
        ({"html": "."}, "is not a file in a folder"),
        ({"annotate": "none/a.mp4"}, "is not a file in a folder"),
        ({"region": ("x",)}, "--region takes X,Y,W,H"),
    ],
)
def test_options_that_cannot_be_followed_are_refused(options, rule, tmp_path):
    paths = {"annotate", "clips", "collect", "html"}
    given = {key: tmp_path / value if key in paths else value for key, value in options.items()}
    with pytest.raises(OptionError) as caught:
        check_outputs(LiveOptions(**given))
    assert rule in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_the_source_is_not_overwritten(tmp_path):
    video = tmp_path / "a.mp4"
    video.write_bytes(b"video")
    (tmp_path / "link.mp4").symlink_to(video)
    with pytest.raises(OptionError, match="is the source itself"):
        check_outputs(LiveOptions(source=str(video), annotate=tmp_path / "link.mp4"))
    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(OptionError, match="is not a file"):
        check_outputs(LiveOptions(annotate=tmp_path / "pipe.mp4"))


def test_sizes():
    assert [parse_size(each, "--keep") for each in ("1GB", "500 mb", "1.5KB")] == [
        10**9, 5 * 10**8, 1500,
    ]  # fmt: skip
