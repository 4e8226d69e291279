"""The target `image`: the bytes of an image on every path that a user's file takes."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.reliability.fuzz_oracle import count_open_files, make_scratch_folder, require
from benchmarks.reliability.mutants import make_seeds
from edgeemo.errors import NoFaceError
from edgeemo.imaging.decode import open_image
from edgeemo.imaging.faces.face import Face, detect_faces
from edgeemo.imaging.preprocess import preprocess, preprocess_faces
from edgeemo.model.face_settings import FaceSettings
from edgeemo.model.input_spec import InputSpec

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL import Image

_RGB = InputSpec(height=24, width=32)
_GREY = InputSpec(height=20, width=20, channels=1)
_FACES = InputSpec(height=24, width=24, faces=FaceSettings(margin=0.2))
_LARGE_PIXELS = 1 << 21
_LARGE_SHARE = 16  # one in so many large images is decoded: they take a fuzzer's time


class Detector:
    """A face detector without an engine: faces inside, on an edge, too large and outside."""

    def detect(self, image: Image.Image) -> tuple[Face, ...]:
        width, height = image.size
        side = max(1, min(width, height) // 2)
        places = ((width // 4, height // 4), (-side // 2, height - side // 2), (2 * width, 0))
        return (Face(-width, -height, 40 * width), *(Face(*place, side) for place in places))


def _predict(data: bytes) -> None:
    _require_array(preprocess(data, _RGB), _RGB)


def _predict_grey(data: bytes) -> None:
    _require_array(preprocess(data, _GREY), _GREY)


def _predict_file(data: bytes) -> None:
    """Read it from a file: as from bytes, and the file is closed."""
    path = make_scratch_folder() / "image"
    path.write_bytes(data)
    before = count_open_files()
    try:
        array = preprocess(path, _RGB)
    finally:
        require(count_open_files() == before, "a file is left open")
    require(np.array_equal(array, preprocess(data, _RGB)), "a file and its bytes differ")


def _predict_largest_face(data: bytes) -> None:
    try:
        _require_array(preprocess(data, _FACES, detector=Detector()), _FACES)
    except NoFaceError:
        require(False, "a face is lost")


def _predict_faces(data: bytes) -> None:
    for _, array in preprocess_faces(data, _FACES, detector=Detector()):
        _require_array(array, _FACES)


def _decode_whole(data: bytes) -> None:
    """Decode it as for a contact sheet, and predict the pixels."""
    with open_image(data) as opened:
        size = opened.size
        image = opened.decode(grey=False)
    require(image.mode == "RGB" and image.size == size, "another size or mode than announced")
    detect_faces(Detector(), image)
    _require_array(preprocess(image, _GREY), _GREY)
    _require_array(preprocess(np.asarray(image), _RGB, color="rgb"), _RGB)


def _decode_grey(data: bytes) -> None:
    with open_image(data) as opened:
        require(opened.decode(grey=True).mode == "L", "not grey")


PATHS: tuple[Callable[[bytes], None], ...] = (
    _predict, _predict_grey, _predict_file, _predict_largest_face, _predict_faces, _decode_whole,
    _decode_grey,
)  # fmt: skip


def check(data: bytes) -> None:
    """Read an image on one of the `PATHS`, which its bytes choose.

    Raises:
        ImageError: If it is refused.
    """
    chosen = zlib.crc32(data)
    with open_image(data) as opened:
        width, height = opened.stored_size
        require(min(width, height) >= 0 and bool(opened.mode), "no size")
    if width * height <= _LARGE_PIXELS or chosen // len(PATHS) % _LARGE_SHARE == 0:
        PATHS[chosen % len(PATHS)](data)


def list_seeds() -> tuple[bytes, ...]:
    """Return the first inputs."""
    return make_seeds()


def _require_array(array: np.ndarray, spec: InputSpec) -> None:
    require(array.shape == spec.input_shape and array.dtype == np.uint8, "another shape or type")
    require(array.flags.c_contiguous, "not contiguous")
