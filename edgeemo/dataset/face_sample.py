"""Faces in a sample of a folder's images: whether they are photos with faces, or crops of faces."""

from __future__ import annotations

import random
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from edgeemo.dataset.ingest.formats import is_grey
from edgeemo.errors import EdgeEmoError
from edgeemo.imaging.decode import open_image
from edgeemo.imaging.faces import build_detector, detect_faces
from edgeemo.imaging.preprocess import decode
from edgeemo.model.face_settings import FaceSettings
from edgeemo.model.input_spec import InputSpec

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edgeemo.imaging.faces import Face, FaceDetector

SAMPLE_IMAGES = 120
"""Largest number of images in a sample."""

_SECONDS = 2.5  # after which no further image is searched
_MOST = 0.5  # share of images with a face from which on the images are about faces
_CROP = 0.4  # share of an image's area from which on the image is a crop of its face
_PHOTO = InputSpec(height=48, width=48, faces=FaceSettings())


@dataclass(frozen=True, kw_only=True)
class FaceSample:
    """The faces in a sample of images.

    Attributes:
        images: Number of images in the sample.
        with_face: Number of those with a face.
        face_area: Median share of an image's area that its largest face covers, of the images with
            a face; 0 without any.
        shorter_side: Median shorter side of the images, in pixels; 0 without images.
        grey: Share of the images without colours.
        seconds: Duration of the search.
    """

    images: int
    with_face: int
    face_area: float
    shorter_side: int
    grey: float
    seconds: float

    @property
    def has_faces(self) -> bool:
        """Return whether most of the images have a face."""
        return self.images > 0 and self.with_face >= _MOST * self.images

    @property
    def has_crops(self) -> bool:
        """Return whether most of the images have a face, which fills them."""
        return self.has_faces and self.face_area >= _CROP

    @property
    def text(self) -> str:
        """Return the numbers as text: "99 of 120 sampled images (83%) have a face ..."."""
        share = self.with_face / self.images if self.images else 0.0
        filled = f", {self.face_area:.0%} of the image" if self.with_face else ""
        count = f"{self.with_face:,} of {self.images:,} sampled images"
        return f"{count} ({share:.0%}) have a face{filled}"


class _Sampled(NamedTuple):
    """An image of the sample: width, height, whether it is grey, share of the largest face."""

    width: int
    height: int
    grey: bool
    face: float | None


def sample_faces(paths: Sequence[Path], *, most: int = SAMPLE_IMAGES) -> FaceSample:
    """Search a sample of images for faces, in at most three seconds.

    Args:
        paths: The images. Those that cannot be read do not count.
        most: Largest number of images in the sample.

    Raises:
        EngineError: If the engine of the face detector cannot be loaded.
    """
    begun = time.monotonic()
    detector = build_detector(FaceSettings())
    chosen = random.Random(0).sample(paths, min(most, len(paths)))
    sampled = []
    for path in chosen:
        one = _search(path, detector)
        if one is not None:
            sampled.append(one)
        if time.monotonic() - begun > _SECONDS:
            break
    areas = [one.face for one in sampled if one.face is not None]
    return FaceSample(
        images=len(sampled),
        with_face=len(areas),
        face_area=statistics.median(areas) if areas else 0.0,
        shorter_side=round(statistics.median(min(one[:2]) for one in sampled)) if sampled else 0,
        grey=statistics.fmean(one.grey for one in sampled) if sampled else 0.0,
        seconds=time.monotonic() - begun,
    )


def _search(path: Path, detector: FaceDetector) -> _Sampled | None:
    """Return what is found in an image; None if it cannot be read."""
    try:
        with open_image(path) as opened:
            width, height = opened.size
            photo = decode(opened, _PHOTO)
            faces = detect_faces(detector, photo)
            grey = is_grey(opened.mode)
    except (EdgeEmoError, OSError):
        return None
    return _Sampled(width, height, grey, _measure_area(faces[0], photo.size) if faces else None)


def _measure_area(face: Face, size: tuple[int, int]) -> float:
    """Return the share of an image's area that a face covers."""
    width = min(size[0], face.left + face.side) - max(0, face.left)
    height = min(size[1], face.top + face.side) - max(0, face.top)
    return width * height / (size[0] * size[1])
