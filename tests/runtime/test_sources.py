"""Whatever a library's user has in hand: arrays, open files, many images; or one clear error."""

from __future__ import annotations

import copy
import io
import os
import pickle
import tempfile
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeemo import Classifier, EdgeEmoError
from edgeemo.errors import EngineError, ImageError, ImageTypeError, NoFaceError
from edgeemo.model.folder import SHIPPED_MODELS, shipped_folder

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
PHOTO = shipped_folder().file("golden") / "photo.jpg"
RGB = np.random.default_rng(2).integers(0, 256, (40, 30, 3), np.uint8)


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.load(GOLDEN / "int8.tflite")


@pytest.fixture(scope="module")
def faces() -> Classifier:
    return Classifier.load("happy-sad")


@pytest.fixture(scope="module")
def image(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("sources") / "face.png"
    Image.fromarray(RGB).save(path)
    return path


def test_channels_are_read_in_the_order_that_is_given(classifier, faces, image):
    with Image.open(PHOTO) as opened:
        photo = np.asarray(opened.convert("RGB"))
    for model, pixels in ((classifier, RGB), (faces, photo)):
        expected = model.predict(Image.fromarray(pixels))
        opaque = np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])
        bgr = pixels[..., ::-1]
        assert model.predict(pixels, color="rgb") == expected
        assert model.predict(bgr, color="bgr") == expected
        assert model.predict(np.ascontiguousarray(bgr), color="bgr") == expected
        assert model.predict(opaque, color="rgb") == expected
        assert model.predict(opaque[..., [2, 1, 0, 3]], color="bgr") == expected
    assert classifier.predict(RGB, color="rgb") == classifier.predict(image)
    assert classifier.predict(RGB, color="rgb") != classifier.predict(RGB, color="bgr")


def test_transparent_pixels_are_white_as_in_a_png(classifier):
    clear = np.dstack([RGB, np.zeros(RGB.shape[:2], np.uint8)])
    buffer = io.BytesIO()
    Image.fromarray(clear).save(buffer, "PNG")
    expected = classifier.predict(buffer.getvalue())
    assert classifier.predict(clear, color="rgb") == expected
    assert expected == classifier.predict(np.full((9, 9), 255, np.uint8))


def test_grey_arrays_need_no_color(classifier):
    grey = RGB[..., 0]
    expected = classifier.predict(Image.fromarray(grey))
    for array in (grey, grey[..., None], np.asfortranarray(grey), np.flipud(np.flipud(grey))):
        assert classifier.predict(array) == expected
        assert classifier.predict(array, color="gray") == expected


@pytest.mark.parametrize(
    ("array", "color", "words"),
    [
        (RGB, None, r"requires color='bgr' \(a frame of OpenCV\) or color='rgb'"),
        (np.dstack([RGB, RGB[..., :1]]), None, "an array of 4 channels requires color='bgr'"),
        (RGB, "RGB", "color must be 'rgb', 'bgr' or 'gray', not 'RGB'"),
        (RGB, "gray", r"color='gray' requires one channel, not the shape \(40, 30, 3\)"),
        (RGB[..., 0], "bgr", r"color='bgr' requires 3 or 4 channels, not the shape \(40, 30\)"),
        (RGB / 255, "rgb", r"float64, 0 to 1; give \(array \* 255\)\.round\(\)\.astype\('uint8'\)"),
        (RGB.astype("f4"), "rgb", r"float32, 0 to 255; give array\.round\(\)\.astype\('uint8'\)"),
        (RGB / 127.5 - 1, "rgb", "float64, -1 to 1; scale it to 0 to 255, as uint8"),
        (RGB.astype(int), "rgb", r"int64, 0 to 255; give array\.round"),
        (RGB.astype("u2") * 257, "rgb", "uint16, 0 to 65535; scale it"),
        (RGB > 9, "rgb", r"bool, 0 to 1; give \(array \* 255\)"),
        (np.full((4, 4, 3), np.nan), "rgb", "float64, nan to nan; scale it"),
        (RGB.astype(object), "rgb", "the array is object; make them uint8"),
        (RGB[..., :2], "rgb", r"must be \(H, W\), .*, not \(40, 30, 2\)$"),
        (np.moveaxis(RGB, 2, 0), "rgb", r"not \(3, 40, 30\); numpy\.moveaxis\(array, 0, -1\)"),
        (RGB[None], "rgb", r"not \(1, 40, 30, 3\); these are several images: predict_batch"),
        (RGB[:0], "rgb", r"the array is empty: its shape is \(0, 30, 3\)"),
        (RGB[0, 0], "rgb", r"not \(3,\)$"),
        (np.array(7), None, r"not \(\)$"),
    ],
)  # fmt: skip
def test_an_array_that_is_no_image_says_what_to_change(classifier, array, color, words):
    with pytest.raises(ImageTypeError, match=words) as caught:
        classifier.predict(array, color=color)
    assert isinstance(caught.value, TypeError)
    assert "\n" not in str(caught.value)
    assert str(caught.value) == classifier.predict_result(array, color=color).error


def test_only_an_array_has_a_color(classifier, image):
    for source in (image, image.read_bytes(), Image.fromarray(RGB), io.BytesIO(b"x")):
        with pytest.raises(ImageTypeError, match="color='rgb' is for arrays; leave it out"):
            classifier.predict(source, color="rgb")


class _Tensor:
    def __array__(self, dtype=None, copy=None):
        return RGB


@pytest.mark.parametrize("source", [None, 7, [[1, 2]], {"a": 1}, object(), Image])
def test_another_type_is_told_in_one_line(classifier, source):
    with pytest.raises(TypeError, match="an image is a path, the bytes of a file, a file opened"):
        classifier.predict(source)
    with pytest.raises(EdgeEmoError):
        classifier.predict(source)


def test_a_tensor_is_told_how_to_become_an_array(classifier):
    with pytest.raises(ImageTypeError, match=r"not .*_Tensor; numpy\.asarray makes an array of it"):
        classifier.predict(_Tensor())


def test_an_open_file_is_read_from_where_it_stands(classifier, image, tmp_path):
    expected = classifier.predict(image)
    with image.open("rb") as stream:
        assert classifier.predict(stream) == expected
        assert not stream.closed
        with pytest.raises(ImageError, match=rf"{image.name}: is empty, or was read to its end"):
            classifier.predict(stream)
    both = tmp_path / "both"
    both.write_bytes(b"header" + image.read_bytes())
    with both.open("rb") as stream:
        stream.seek(6)
        assert classifier.predict(stream) == expected
    with tempfile.SpooledTemporaryFile() as upload:
        upload.write(image.read_bytes())
        upload.seek(0)
        assert classifier.predict(upload) == expected
    content = image.read_bytes()
    for source in (io.BytesIO(content), bytearray(content), memoryview(content)):
        assert classifier.predict(source) == expected


def test_a_file_that_cannot_be_sought_is_read_too(classifier, image):
    reading, writing = os.pipe()
    content = image.read_bytes()

    def write() -> None:
        with os.fdopen(writing, "wb", buffering=0) as stream:
            for start in range(0, len(content), 999):
                stream.write(content[start : start + 999])

    writer = threading.Thread(target=write)
    writer.start()
    with os.fdopen(reading, "rb", buffering=0) as stream:
        assert not stream.seekable()
        assert classifier.predict(stream) == classifier.predict(image)
    writer.join()


def test_a_file_that_gives_no_image_is_told_by_name(classifier, image):
    with (
        image.open(encoding="latin-1") as stream,
        pytest.raises(TypeError, match="open it with 'rb'"),
    ):
        classifier.predict(stream)
    with image.open(encoding="utf-8") as stream, pytest.raises(TypeError, match="with 'rb'"):
        classifier.predict(stream)
    with pytest.raises(ImageError, match=r"face\.png: cannot be read: .*closed file"):
        classifier.predict(_closed(image))
    with pytest.raises(ImageError, match="image: not an image"):
        classifier.predict(io.BytesIO(b"nothing of the kind"))

    class Endless:
        def read(self, size):
            return b"\xff\xd8\xff" + bytes(size)

    with pytest.raises(ImageError, match="the file has more than 128 MB"):
        classifier.predict(Endless())


def _closed(path: Path):
    with path.open("rb") as stream:
        return stream


def test_several_images_in_the_order_given(classifier, image):
    arrays = np.stack([RGB, 255 - RGB, RGB // 2])
    expected = [classifier.predict(array, color="rgb") for array in arrays]
    assert classifier.predict_batch(arrays, color="rgb") == expected
    assert classifier.predict_batch(list(arrays), color="rgb", workers=2) == expected
    assert list(classifier.predict_many(arrays, color="rgb")) == expected
    found = list(classifier.predict_results(arrays, color="rgb"))
    assert [result.predictions[0] for result in found] == expected
    paths = [image, str(image), image.read_bytes()]
    assert classifier.predict_batch(paths * 9) == [classifier.predict(image)] * 27
    assert classifier.predict_batch([]) == []


def test_the_first_image_that_fails_is_the_error_or_has_a_result(classifier, faces, image):
    sources = [image, "gone.jpg", None, image]
    with pytest.raises(ImageError, match=r"gone\.jpg: cannot be read"):
        classifier.predict_batch(sources)
    errors = [result.error for result in classifier.predict_results(sources)]
    assert [error is None for error in errors] == [True, False, False, True]
    assert errors[1].startswith("gone.jpg: cannot be read")
    with pytest.raises(NoFaceError, match="no face"):
        faces.predict_batch([PHOTO, image])
    assert [len(result.predictions) for result in faces.predict_results([PHOTO, image])] == [2, 0]


@pytest.mark.parametrize(
    "sources", ["face.jpg", b"bytes", Path("a"), 7, None, Image.new("L", (9, 9))]
)
@pytest.mark.parametrize("method", ["predict_batch", "predict_many", "predict_results"])
def test_one_image_where_several_are_needed(classifier, method, sources):
    with pytest.raises(ImageTypeError, match="several images are needed, such as a list of paths"):
        getattr(classifier, method)(sources)
    with pytest.raises(ImageTypeError, match=r"must be \(N, H, W, C\), not \(40, 30, 3\)"):
        getattr(classifier, method)(RGB)


def test_workers_must_be_one_or_more(classifier, image):
    for method in (classifier.predict_batch, classifier.predict_results):
        with pytest.raises(ValueError, match="workers must be at least 1, not 0"):
            method([image], workers=0)


def test_a_shipped_model_is_loaded_by_its_name(monkeypatch, tmp_path):
    for name in SHIPPED_MODELS:
        classifier = Classifier.load(name)
        assert classifier.verified
        assert Path(classifier.path).parent == shipped_folder(name).path
        assert Classifier.load(Path(name)).path == classifier.path
    monkeypatch.chdir(tmp_path)
    Path("happy-sad").mkdir()  # a folder of one's own comes first
    with pytest.raises(EdgeEmoError, match="no exported model to run"):
        Classifier.load("happy-sad")


@pytest.mark.parametrize("name", ["happysad", "models/gone", "gone.tflite"])
def test_a_model_that_is_not_there_is_told(name):
    with pytest.raises(EngineError, match=name) as caught:
        Classifier.load(name)
    assert ("the shipped models are happy-sad and emotions" in str(caught.value)) == (
        "." not in name
    )


def test_no_threads_are_refused():
    with pytest.raises(EngineError, match="threads must be 1 to 1024, not 0"):
        Classifier.load(GOLDEN / "int8.tflite", threads=0)


def test_a_classifier_is_not_pickled(classifier):
    for method in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match=r"other processes call Classifier\.load"):
            method(classifier)
