"""Tell face crops from photos: a model for faces takes the former whole.

A model that was trained on face crops detects faces in photos. In a crop, a detector finds a face
that fills it, or none.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edgeemo.dataset.face_sample import sample_faces
from edgeemo.dataset.write.faces_json import read_faces_json
from edgeemo.model.face_request import FaceRequest
from edgeemo.runtime.classifier import Classifier

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edgeemo.evaluate.labelled import LabelledImage

SAMPLE = 12
"""Largest number of images that are looked at."""

FACE_CROPS = "the images are face crops and are taken whole"
"""The note about that choice."""


def are_crops(root: Path, images: Sequence[LabelledImage]) -> bool:
    """Return whether labelled images are face crops rather than photos.

    Args:
        root: The data folder; with a ``faces.json`` its images are crops.
        images: The images, of which a sample is searched for faces.

    Raises:
        DatasetError: If ``faces.json`` is malformed.
        EngineError: If the engine of the face detector cannot be loaded.
    """
    if read_faces_json(root) is not None:
        return True
    return sample_faces([root / image.path for image in images], most=SAMPLE).has_crops


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
        EngineError: As `are_crops`.
    """
    settings = classifier.spec.faces
    if settings is None or not settings.cropped or faces != FaceRequest():
        return classifier
    if not are_crops(root, images):
        return classifier
    return Classifier(
        replace(classifier.spec, faces=None),
        classifier.engine,
        verified=classifier.verified,
        path=classifier.path,
        threads=classifier.threads,
    )
