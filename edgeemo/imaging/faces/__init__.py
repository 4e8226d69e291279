"""Find faces in photos and crop them, the same when training and on the device.

Three detectors, one file each, behind `FaceFinder`:

* ``blaze``: BlazeFace (V. Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on
  Mobile GPUs", 2019), MediaPipe's short-range model, which travels with edgeemo and runs in LiteRT:
  nothing more has to be installed.
* ``cascade``: P. Viola and M. Jones, "Rapid object detection using a boosted cascade of simple
  features", CVPR 2001, as OpenCV ships it for frontal faces; needs the ``faces`` extra.
* ``yunet``: W. Wu et al., "YuNet: A Tiny Millisecond-level Face Detector", 2023, from an ``.onnx``
  file that the user has, in OpenCV; needs the ``faces`` extra.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from edgeemo.imaging.faces.face import Face, FaceFinder, cropped

if TYPE_CHECKING:
    from PIL import Image

    from edgeemo.model.spec import FaceSettings, ModelSpec

__all__ = ["Face", "FaceFinder", "cropped", "face_finder", "find_faces"]


def find_faces(image: Image.Image, spec: ModelSpec) -> tuple[Face, ...]:
    """The faces in a photo, the largest first.

    Args:
        image: Upright, mode "RGB".
        spec: Says what finds them.

    Raises:
        MissingExtraError: If that is not installed.
        FaceModelError: If that is a file that nobody named, or one that cannot be used.
    """
    if spec.faces is None:
        raise ValueError("this spec finds no faces")
    return face_finder(spec.faces).find(image)


def face_finder(settings: FaceSettings) -> FaceFinder:
    """What finds faces; the same one for the same settings.

    Raises:
        MissingExtraError: If it is not installed.
        FaceModelError: As `find_faces`.
    """
    return _finder(settings.detector, settings.file_sha256, settings.least_score)


@cache
def _finder(detector: str, file_sha256: str, least_score: float | None) -> FaceFinder:
    if detector == "blaze":
        from edgeemo.imaging.faces.blaze import BlazeFace

        return BlazeFace(least_score=least_score)
    if detector == "cascade":
        from edgeemo.imaging.faces.cascade import Cascade

        return Cascade()
    from edgeemo.imaging.faces.model_file import named
    from edgeemo.imaging.faces.yunet import YuNet

    return YuNet(named(file_sha256), least_score=least_score)
