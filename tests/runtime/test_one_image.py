"""One image never ends a run: whatever goes wrong with it is its own error."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeemo import Classifier
from edgeemo.errors import ImageError
from edgeemo.imaging.faces import Face, crop_face, detect_faces, stretch_face
from edgeemo.imaging.faces.blaze import BlazeFace
from edgeemo.imaging.preprocess import preprocess, preprocess_faces, resize
from edgeemo.model.face_settings import FaceSettings
from edgeemo.model.input_spec import InputSpec
from edgeemo.runtime.inputs import expand
from edgeemo.runtime.stream import predict_images

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
_FACES = InputSpec(height=20, width=24, channels=3, faces=FaceSettings())


class _Detector:
    """A face detector that finds what it is told, or raises it."""

    def __init__(self, found):
        self._found = found

    def detect(self, image):
        if isinstance(self._found, Exception):
            raise self._found
        return self._found


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "a.png"
    pixels = np.random.default_rng(5).integers(0, 256, (60, 80, 3), np.uint8)
    Image.fromarray(pixels).save(path)
    return path


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize(
    "failure",
    [MemoryError(), RecursionError("too deep"), ValueError("odd\nshape"), RuntimeError("engine")],
    ids=lambda failure: type(failure).__name__,
)
def test_whatever_an_engine_raises_is_the_images_error(image, failure, workers, monkeypatch):
    classifier = Classifier.load(GOLDEN / "int8.tflite")
    run = type(classifier.engine).run

    def fail_in_the_dark(engine, pixels):
        if pixels.max() == 0:
            raise failure
        return run(engine, pixels)

    monkeypatch.setattr(type(classifier.engine), "run", fail_in_the_dark)
    dark = image.with_name("dark.png")
    Image.new("L", (9, 9)).save(dark)
    sources = [str(image), str(dark), str(image)] * 3
    results = list(predict_images(classifier, sources, workers=workers))
    assert [result.source for result in results] == sources
    assert [result.error is None for result in results] == [True, False, True] * 3
    assert results[1].error.startswith(f"{dark}: ")
    assert "\n" not in results[1].error


def test_ctrl_c_is_no_images_error(image, monkeypatch):
    classifier = Classifier.load(GOLDEN / "int8.tflite")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(type(classifier.engine), "run", interrupt)
    with pytest.raises(KeyboardInterrupt):
        list(predict_images(classifier, [str(image)]))


@pytest.mark.parametrize(
    "failure", [MemoryError(), Image.DecompressionBombError("bomb"), ValueError("NaN")]
)
def test_whatever_a_detector_raises_is_the_images_error(image, failure):
    with pytest.raises(ImageError, match=r"a\.png: finding faces failed: \w+"):
        preprocess(image, _FACES, detector=_Detector(failure))
    with pytest.raises(ImageError, match=r"a\.png: finding faces failed: \w+"):
        preprocess_faces(image, _FACES, detector=_Detector(failure))


def test_boxes_outside_the_image_are_dropped():
    image = Image.new("RGB", (80, 60))
    inside = Face(70, 50, 40)
    outside = (Face(80, 0, 9), Face(0, 60, 9), Face(-9, 0, 9), Face(0, -9, 9), Face(0, 0, 9999))
    assert detect_faces(_Detector((inside, *outside)), image) == (inside,)


@pytest.mark.parametrize(
    "face", [Face(10, 5, 30), Face(-40, -30, 300), Face(-900, 20, 1000), Face(79, 59, 700)]
)
@pytest.mark.parametrize("channels", [1, 3])
def test_a_large_crop_is_stretched_in_bands(image, face, channels, monkeypatch):
    spec = InputSpec(height=20, width=24, channels=channels, faces=FaceSettings(margin=0.2))
    with Image.open(image) as opened:
        whole = resize(crop_face(opened, face, spec), spec)
        monkeypatch.setattr("edgeemo.imaging.faces.face._BAND_PIXELS", 900)
        np.testing.assert_array_equal(resize(stretch_face(opened, face, spec), spec), whole)


def test_a_crop_beyond_memory_is_refused_or_stretched(image):
    huge = Face(-100_000, -100_000, 200_000)
    with Image.open(image) as opened:
        with pytest.raises(ImageError, match="too large to crop"):
            crop_face(opened, huge, _FACES)
        assert stretch_face(opened, huge, _FACES).size == (24, 20)


def test_a_very_long_image_has_no_faces():
    detector = BlazeFace(min_score=0.5)
    for size in ((50_000, 1), (30, 60_000)):
        assert detect_faces(detector, Image.new("RGB", size)) == ()


def test_odd_files_in_a_folder_are_passed_over(image):
    folder = image.parent
    os.mkfifo(folder / "pipe.png")
    (folder / "loop.png").symlink_to("loop.png")
    (folder / "gone.png").symlink_to("nowhere.png")
    (folder / "null.png").symlink_to(os.devnull)
    (folder / "folder.png").mkdir()
    (folder / "up").symlink_to(folder)
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(folder / "socket.png"))
        assert list(expand([str(folder)])) == [str(image)]


@pytest.mark.parametrize("name", ["pipe.png", os.devnull])
def test_a_pipe_and_a_device_are_refused_and_not_read(tmp_path, name):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(ImageError, match="cannot be read: it is a pipe or a device"):
        preprocess(tmp_path / name, _FACES)


def test_warnings_of_pillow_are_not_shown(tmp_path):
    exif = Image.Exif()
    exif[0x010F] = "maker" * 20
    path = tmp_path / "odd.jpg"
    Image.new("L", (60, 60), 99).save(path, exif=exif)
    content = path.read_bytes()
    start = content.index(b"Exif")
    path.write_bytes(content[:20] + content[start - 4 : start + 60] + content[start + 60 :])
    broken = bytearray(content)
    broken[start + 20 : start + 26] = b"\xff\x7f\xff\xff\xff\x00"
    path.write_bytes(bytes(broken))
    command = [sys.executable, "-m", "edgeemo.runtime", GOLDEN / "int8.tflite", path]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Warning" not in run.stderr
