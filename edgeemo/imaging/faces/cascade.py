"""OpenCV's cascade for frontal faces, which needs the ``faces`` extra.

It misses faces in profile, in the dark and at the edge, and has a few false positives.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo.imaging.decode import stretch
from edgeemo.imaging.faces.face import Face, sort_by_size
from edgeemo.imaging.faces.opencv import import_cv2

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

_CASCADE = "haarcascade_frontalface_default.xml"
SIDE = 240
"""Longer side of the image that is searched, in pixels: the cost grows with the square."""

_MARGIN = 0.25  # put around it, or a face that fills the image is not found
_MIN_FACE = 0.2  # smallest face, as a share of the image's shorter side
_STEP, _NEIGHBOURS = 1.1, 4
_BOX = 1.04  # the cascade's box to FER2013's, which has the same centre


class Cascade:
    """An `edgeemo.imaging.faces.face.FaceDetector` with one cascade per thread.

    Args:
        side: Longer side of the image that is searched, in pixels.

    Raises:
        MissingExtraError: If OpenCV is not installed, or its version has no cascades.
    """

    def __init__(self, *, side: int = SIDE) -> None:
        self._side = side
        self._cv2 = import_cv2("CascadeClassifier")
        self._own = threading.local()

    def detect(self, image: Image.Image) -> tuple[Face, ...]:
        """See `edgeemo.imaging.faces.face.FaceDetector.detect`."""
        scale = self._side / max(image.size)
        width, height = (max(1, round(side * scale)) for side in image.size)
        small = np.asarray(stretch(image.convert("L"), width, height))
        margin = round(self._side * _MARGIN)
        min_side = max(24, round(min(small.shape) * _MIN_FACE))
        boxes = self._cascade().detectMultiScale(
            np.pad(small, margin, mode="edge"),
            scaleFactor=_STEP,
            minNeighbors=_NEIGHBOURS,
            minSize=(min_side, min_side),
        )
        return sort_by_size([_to_face(box, margin, scale) for box in boxes])

    def _cascade(self) -> Any:
        if not hasattr(self._own, "cascade"):
            self._own.cascade = self._cv2.CascadeClassifier(self._cv2.data.haarcascades + _CASCADE)
        return self._own.cascade


def _to_face(box: NDArray[np.int32], margin: int, scale: float) -> Face:
    left, top, found, _ = (float(value) for value in box)  # its boxes are square
    side = found * _BOX
    return Face(
        left=round((left - margin + (found - side) / 2) / scale),
        top=round((top - margin + (found - side) / 2) / scale),
        side=max(1, round(side / scale)),
    )
