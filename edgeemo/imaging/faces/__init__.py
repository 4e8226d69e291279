"""Face detection and cropping, the same in training and on the device.

Three detectors, one file each, behind `FaceDetector`:

* ``blaze``: BlazeFace (V. Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on
  Mobile GPUs", 2019), MediaPipe's short-range and full-range models, which are part of edgeemo and
  run in LiteRT: nothing else has to be installed.
* ``cascade``: P. Viola and M. Jones, "Rapid object detection using a boosted cascade of simple
  features", CVPR 2001, as OpenCV ships it for frontal faces; needs the ``faces`` extra.
* ``yunet``: W. Wu et al., "YuNet: A Tiny Millisecond-level Face Detector", 2023, from an ``.onnx``
  file that the user has, in OpenCV; needs the ``faces`` extra.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.errors import FaceModelError
from edgeemo.imaging.faces.face import Face, FaceDetector, crop_face, detect_faces, stretch_face
from edgeemo.model.face_settings import DEFAULT_SCORES, Detector

if TYPE_CHECKING:
    from edgeemo.model.detector_file import DetectorFile
    from edgeemo.model.face_settings import FaceSettings
    from edgeemo.model.input_spec import InputSpec

__all__ = [
    "Face", "FaceDetector", "build_crop_detector", "build_detector", "crop_face", "detect_faces",
    "stretch_face",
]  # fmt: skip


def build_detector(settings: FaceSettings, *, file: DetectorFile | None = None) -> FaceDetector:
    """Build a face detector; anything it lacks is reported here, before the first image.

    Args:
        settings: The detector and its minimum score.
        file: The detector's own file, where it has one.

    Raises:
        EngineError: If its package is installed and cannot be loaded.
        FaceModelError: If its own file is missing, has another SHA-256, or cannot be used.
        MissingExtraError: If its package is not installed.
    """
    if settings.detector is Detector.CASCADE:
        from edgeemo.imaging.faces.cascade import Cascade

        return Cascade()
    if settings.detector is Detector.YUNET:
        from edgeemo.imaging.faces.yunet import YuNet

        content = _matching_file(settings, file).content
        return YuNet(content, min_score=_min_score(settings))
    from edgeemo.imaging.faces.blaze import BlazeFace

    return BlazeFace(min_score=_min_score(settings))


def build_crop_detector(spec: InputSpec, *, file: DetectorFile | None) -> FaceDetector | None:
    """Build the face detector that `preprocess` crops with; None where it takes images whole.

    Args:
        spec: The input specification.
        file: As in `build_detector`.

    Raises:
        EdgeEmoError: As `build_detector`.
    """
    if spec.faces is None or not spec.crops_faces:
        return None
    return build_detector(spec.faces, file=file)


def _min_score(settings: FaceSettings) -> float:
    score = settings.min_score
    return DEFAULT_SCORES[settings.detector] if score is None else score


def _matching_file(settings: FaceSettings, file: DetectorFile | None) -> DetectorFile:
    if file is None or file.sha256 != settings.file_sha256:
        raise FaceModelError(
            f"the YuNet file of the face settings (SHA-256 {settings.file_sha256[:12]}…) is "
            "missing; name it with --face-model"
        )
    return file
