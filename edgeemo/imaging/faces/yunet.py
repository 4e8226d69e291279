"""YuNet, from an ``.onnx`` file that the user has, in OpenCV."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo.errors import FaceModelError
from edgeemo.imaging.decode import stretched
from edgeemo.imaging.faces.face import Face, largest_first
from edgeemo.imaging.faces.opencv import import_cv2
from edgeemo.utils.text import one_line

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

_SIDE = 320  # the longer side of the image that is searched
_MULTIPLE = 32  # the network halves its input five times
_LEAST_SCORE, _OVERLAP, _MOST = 0.7, 0.3, 200


class YuNet:
    """A `edgeemo.imaging.faces.face.FaceFinder` with one detector per thread.

    Its box is taken for the frame by its longer side, around the same centre.

    Args:
        content: The bytes of the ``.onnx`` file.
        least_score: Of a face that counts, 0 to 1; None for the usual.

    Raises:
        FaceModelError: If OpenCV refuses the file.
        MissingExtraError: If OpenCV is not installed.
    """

    def __init__(self, content: bytes, *, least_score: float | None = None) -> None:
        self._cv2 = import_cv2("FaceDetectorYN")
        self._least_score = _LEAST_SCORE if least_score is None else least_score
        self._content = np.frombuffer(content, np.uint8)
        self._own = threading.local()
        self._detector()

    def find(self, image: Image.Image) -> tuple[Face, ...]:
        """See `edgeemo.imaging.faces.face.FaceFinder.find`."""
        scale = _SIDE / max(image.size)
        width, height = (max(1, round(side * scale)) for side in image.size)
        small = np.asarray(stretched(image, width, height))[..., ::-1]  # OpenCV wants BGR
        below, right = -height % _MULTIPLE, -width % _MULTIPLE
        padded = np.ascontiguousarray(np.pad(small, ((0, below), (0, right), (0, 0))))
        detector = self._detector()
        detector.setInputSize((width + right, height + below))
        try:
            _, found = detector.detect(padded)
        except self._cv2.error as error:
            raise _refused(error) from None
        return largest_first([_framed(row, scale) for row in ([] if found is None else found)])

    def _detector(self) -> Any:
        if not hasattr(self._own, "detector"):
            try:
                self._own.detector = self._cv2.FaceDetectorYN.create(
                    "onnx", self._content, np.empty(0, np.uint8), (_SIDE, _SIDE),
                    self._least_score, _OVERLAP, _MOST,
                )  # fmt: skip
            except self._cv2.error as error:
                raise _refused(error) from None
        return self._own.detector


def _refused(error: Exception) -> FaceModelError:
    reason = one_line(error)[:120]
    return FaceModelError(
        f"the file of --face-model is no YuNet that OpenCV can run ({reason}); take "
        "face_detection_yunet_2023mar.onnx of OpenCV's model zoo"
    )


def _framed(row: NDArray[np.float32], scale: float) -> Face:
    left, top, width, height = (float(value) for value in row[:4])
    frame = max(width, height)
    return Face(
        left=round((left + (width - frame) / 2) / scale),
        top=round((top + (height - frame) / 2) / scale),
        side=max(1, round(frame / scale)),
    )
