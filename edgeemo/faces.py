"""Find faces in a picture, with OpenCV's cascade where the ``faces`` extra is installed.

The detector is P. Viola and M. Jones, "Rapid object detection using a boosted cascade of simple
features", CVPR 2001, as OpenCV ships it for frontal faces. It misses faces in profile, in the dark
and at the edge, and now and then finds one that is none.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from PIL import Image

from edgeemo.errors import MissingExtraError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CASCADE = "haarcascade_frontalface_default.xml"
_SIDE = 240  # the longer side of the picture that is searched: what it costs grows with its square
_MARGIN = 0.25  # put around it, or a face that fills the picture is not found
_LEAST = 0.2  # smallest face, in parts of the picture's shorter side
_STEP, _NEIGHBOURS = 1.1, 4


@dataclass(frozen=True)
class Face:
    """Where a face is, in pixels of the picture, which may end within the face's frame.

    Attributes:
        left: From the picture's left edge.
        top: From the picture's upper edge.
        width: Of the frame.
        height: Of the frame.
    """

    left: int
    top: int
    width: int
    height: int


class FaceFinder(Protocol):
    """What finds faces; several threads may use one."""

    def find(self, grey: NDArray[np.uint8]) -> tuple[Face, ...]:
        """The faces in a picture, the largest first.

        Args:
            grey: Shape (H, W), uint8, upright.
        """


def face_finder() -> FaceFinder:
    """The detector that is installed.

    Raises:
        MissingExtraError: If there is none.
    """
    return _Cascade()


class _Cascade:
    """OpenCV's cascade; one per thread, since it keeps its work in itself."""

    def __init__(self) -> None:
        self._cv2 = _import_cv2()
        self._own = threading.local()

    def find(self, grey: NDArray[np.uint8]) -> tuple[Face, ...]:
        shorter, longer = sorted(grey.shape)
        scale = _SIDE / longer
        if shorter * scale < 1:
            return ()
        small = _resized(grey, scale)
        margin = round(_SIDE * _MARGIN)
        least = max(24, round(min(small.shape) * _LEAST))
        boxes = self._cascade().detectMultiScale(
            np.pad(small, margin, mode="edge"),
            scaleFactor=_STEP,
            minNeighbors=_NEIGHBOURS,
            minSize=(least, least),
        )
        faces = [_face(box, margin, scale) for box in boxes]
        return tuple(sorted(faces, key=lambda face: -face.width * face.height))

    def _cascade(self) -> Any:
        if not hasattr(self._own, "cascade"):
            self._own.cascade = self._cv2.CascadeClassifier(self._cv2.data.haarcascades + _CASCADE)
        return self._own.cascade


def _resized(grey: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    height, width = (max(1, round(side * scale)) for side in grey.shape)
    picture = Image.fromarray(grey).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(picture)


def _face(box: NDArray[np.int32], margin: int, scale: float) -> Face:
    left, top, width, height = (int(value) for value in box)
    return Face(
        left=round((left - margin) / scale),
        top=round((top - margin) / scale),
        width=round(width / scale),
        height=round(height / scale),
    )


def _import_cv2() -> Any:
    missing = MissingExtraError("opencv-python-headless", extra="faces", purpose="Finding faces")
    try:
        import cv2
    except ImportError:
        raise missing from None
    if not hasattr(cv2, "CascadeClassifier"):  # OpenCV 5 has none
        raise missing
    return cv2
