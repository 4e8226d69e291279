"""OpenCV's cascade for frontal faces, where the ``faces`` extra is installed.

It misses faces in profile, in the dark and at the edge, and now and then finds one that is none.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo.imaging.decode import stretched
from edgeemo.imaging.faces.face import Face, largest_first
from edgeemo.imaging.faces.opencv import import_cv2

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

_CASCADE = "haarcascade_frontalface_default.xml"
SIDE = 240
"""Longer side of the image that is searched, in pixels: what it costs grows with the square."""

_MARGIN = 0.25  # put around it, or a face that fills the image is not found
_LEAST = 0.2  # smallest face, in parts of the image's shorter side
_STEP, _NEIGHBOURS = 1.1, 4
_FRAME = 1.04  # the cascade's box to FER2013's frame, which has the same centre


class Cascade:
    """A `edgeemo.imaging.faces.face.FaceFinder` with one cascade per thread.

    Args:
        side: Longer side of the image that is searched, in pixels.

    Raises:
        MissingExtraError: If OpenCV is not installed, or its version has no cascades.
    """

    def __init__(self, *, side: int = SIDE) -> None:
        self._side = side
        self._cv2 = import_cv2("CascadeClassifier")
        self._own = threading.local()

    def find(self, image: Image.Image) -> tuple[Face, ...]:
        """See `edgeemo.imaging.faces.face.FaceFinder.find`."""
        scale = self._side / max(image.size)
        width, height = (max(1, round(side * scale)) for side in image.size)
        small = np.asarray(stretched(image.convert("L"), width, height))
        margin = round(self._side * _MARGIN)
        least = max(24, round(min(small.shape) * _LEAST))
        boxes = self._cascade().detectMultiScale(
            np.pad(small, margin, mode="edge"),
            scaleFactor=_STEP,
            minNeighbors=_NEIGHBOURS,
            minSize=(least, least),
        )
        return largest_first([_framed(box, margin, scale) for box in boxes])

    def _cascade(self) -> Any:
        if not hasattr(self._own, "cascade"):
            self._own.cascade = self._cv2.CascadeClassifier(self._cv2.data.haarcascades + _CASCADE)
        return self._own.cascade


def _framed(box: NDArray[np.int32], margin: int, scale: float) -> Face:
    left, top, side, _ = (float(value) for value in box)  # its boxes are square
    frame = side * _FRAME
    return Face(
        left=round((left - margin + (side - frame) / 2) / scale),
        top=round((top - margin + (side - frame) / 2) / scale),
        side=max(1, round(frame / scale)),
    )
