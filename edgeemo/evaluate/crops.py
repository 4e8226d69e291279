"""Tell face crops from photos: a model for faces takes the former whole.

A model that was trained on face crops detects faces in photos. In a crop, a detector finds a face
that fills it, or none.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edgeemo.dataset.write.faces_json import read_faces_json
from edgeemo.errors import ImageError
from edgeemo.imaging.decode import open_image
from edgeemo.imaging.faces import detect_faces
from edgeemo.imaging.preprocess import decode
from edgeemo.model.face_request import FaceRequest
from edgeemo.runtime.classifier import Classifier

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from edgeemo.evaluate.labelled import LabelledImage

SAMPLE = 24
"""Largest number of images that are looked at."""

FACE_CROPS = "the images are face crops and are taken whole"
"""The note about that choice."""

_LEAD = 6
"""Number of faces by which one kind of image has to lead; the search then ends early."""

FILLED = 0.6
"""Side of a face, as a share of the image's longer side, from which the image is a crop. Medians
of 40 images each: FER2013 1.05, CK+48 1.16, crops of web photos 0.97; web photos 0.24 and 0.19."""


def are_crops(root: Path, images: Sequence[LabelledImage], classifier: Classifier) -> bool:
    """Return whether labelled images are face crops rather than photos.

    Args:
        root: The data folder; with a ``faces.json`` its images are crops.
        images: The images, of which a sample is looked at.
        classifier: A model that detects faces.

    Raises:
        DatasetError: If ``faces.json`` is malformed.
    """
    if read_faces_json(root) is not None:
        return True
    step, lead = max(1, len(images) // SAMPLE), 0
    for share in _measure_faces(root, images[::step][:SAMPLE], classifier):
        lead += 1 if share >= FILLED else -1
        if abs(lead) == _LEAD:
            break
    return lead > 0


def choose_whole(
    classifier: Classifier, root: Path, images: Sequence[LabelledImage], faces: FaceRequest
) -> Classifier:
    """Return a model for faces as one that takes face crops whole; any other model as it is.

    Args:
        classifier: The model.
        root: The data folder.
        images: The images.
        faces: The requested face settings; any request decides, whatever the images are.

    Raises:
        DatasetError: As `are_crops`.
    """
    settings = classifier.spec.faces
    if settings is None or not settings.cropped or faces != FaceRequest():
        return classifier
    if not are_crops(root, images, classifier):
        return classifier
    return Classifier(
        replace(classifier.spec, faces=None),
        classifier.engine,
        verified=classifier.verified,
        path=classifier.path,
        threads=classifier.threads,
    )


def _measure_faces(
    root: Path, images: Sequence[LabelledImage], classifier: Classifier
) -> Iterator[float]:
    """Yield the side of the largest face of each image that has one."""
    if classifier.detector is None:
        return
    spec = classifier.spec.for_photos()
    for image in images:
        try:
            with open_image(root / image.path) as opened:
                photo = decode(opened, spec)
            faces = detect_faces(classifier.detector, photo)
        except (ImageError, OSError):
            continue
        if faces:
            yield faces[0].side / max(photo.size)
