"""YuNet in OpenCV, from an ``.onnx`` file that the user has."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo.errors import FaceModelError
from edgeemo.imaging.decode import stretch
from edgeemo.imaging.faces.face import Face, sort_by_size
from edgeemo.imaging.faces.opencv import import_cv2
from edgeemo.utils.text import one_line

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

_SIDE = 320  # the longer side of the image that is searched
_MULTIPLE = 32  # the network halves its input five times
_OVERLAP, _MAX_FACES = 0.3, 200


class YuNet:
    """An `edgeemo.imaging.faces.face.FaceDetector` with one OpenCV detector per thread.

    The bounding box is a square of the detected box's longer side, around the same centre.

    Args:
        content: The bytes of the ``.onnx`` file.
        min_score: Minimum score of a face, 0 to 1.

    Raises:
        FaceModelError: If OpenCV refuses the file.
        MissingExtraError: If OpenCV is not installed.
    """

    def __init__(self, content: bytes, *, min_score: float) -> None:
        self._cv2 = import_cv2("FaceDetectorYN")
        self._min_score = min_score
        self._content = np.frombuffer(content, np.uint8)
        self._own = threading.local()
        self._detector()

    def detect(self, image: Image.Image) -> tuple[Face, ...]:
        """See `edgeemo.imaging.faces.face.FaceDetector.detect`."""
        scale = _SIDE / max(image.size)
        width, height = (max(1, round(side * scale)) for side in image.size)
        small = np.asarray(stretch(image, width, height))[..., ::-1]  # OpenCV wants BGR
        below, right = -height % _MULTIPLE, -width % _MULTIPLE
        padded = np.ascontiguousarray(np.pad(small, ((0, below), (0, right), (0, 0))))
        detector = self._detector()
        detector.setInputSize((width + right, height + below))
        try:
            _, found = detector.detect(padded)
        except self._cv2.error as error:
            raise _refusal(error) from None
        rows = [] if found is None else found[np.isfinite(found).all(axis=1)]
        return sort_by_size([_to_face(row, scale) for row in rows])

    def _detector(self) -> Any:
        if not hasattr(self._own, "detector"):
            try:
                self._own.detector = self._cv2.FaceDetectorYN.create(
                    "onnx", self._content, np.empty(0, np.uint8), (_SIDE, _SIDE),
                    self._min_score, _OVERLAP, _MAX_FACES,
                )  # fmt: skip
            except self._cv2.error as error:
                raise _refusal(error) from None
        return self._own.detector


def _refusal(error: Exception) -> FaceModelError:
    reason = one_line(error)[:120]
    return FaceModelError(
        f"the file of --face-model is not a YuNet file that OpenCV can run ({reason}); use "
        "face_detection_yunet_2023mar.onnx of OpenCV's model zoo"
    )


def _to_face(row: NDArray[np.float32], scale: float) -> Face:
    left, top, width, height = (float(value) for value in row[:4])
    side = max(width, height)
    return Face(
        left=round((left + (width - side) / 2) / scale),
        top=round((top + (height - side) / 2) / scale),
        side=max(1, round(side / scale)),
    )
