"""The images of a folder that a model was trained on."""

from __future__ import annotations

import hashlib
from os import PathLike
from typing import TYPE_CHECKING

from edgeemo.bulk.bucket_path import make_path
from edgeemo.model.folder import SPLIT
from edgeemo.utils.files import sha256_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edgeemo.evaluate.labelled import LabelledImage
    from edgeemo.imaging.decode import Source
    from edgeemo.model.folder import ModelFolder


def list_trained_on(folder: ModelFolder | None) -> frozenset[str] | None:
    """Return the SHA-256 of each image in the training or validation split of a model.

    Args:
        folder: The model folder; None where there is none.

    Returns:
        Hexadecimal; None where the model folder does not list its images.

    Raises:
        ModelFolderError: If its list of images is malformed.
    """
    if folder is None or not folder.file(SPLIT).is_file():
        return None
    return frozenset(row.sha256 for row in folder.read_samples() if row.split != "test")


def find_trained_on(
    folder: ModelFolder | None, root: Path, images: Sequence[LabelledImage]
) -> frozenset[str] | None:
    """Return the paths of the images in the training or validation split of a model.

    Args:
        folder: As of `list_trained_on`.
        root: The data folder.
        images: The images.

    Returns:
        The paths; None where the model folder does not list its images.

    Raises:
        ModelFolderError: As `list_trained_on`.
    """
    seen = list_trained_on(folder)
    if seen is None:
        return None
    return frozenset(image.path for image in images if hash_image(root / image.path) in seen)


def hash_image(source: Source) -> str:
    """Return the SHA-256 of an image file, hexadecimal; "" where it cannot be read.

    Args:
        source: Its path, or its bytes; anything else stands for one that cannot be read.
    """
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest()
    try:
        return sha256_file(make_path(source)) if isinstance(source, str | PathLike) else ""
    except OSError:  # which the prediction will say
        return ""
