"""The images of a folder that a model was trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.model.folder import SPLIT
from edgeemo.utils.files import sha256_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edgeemo.evaluate.labelled import LabelledImage
    from edgeemo.model.folder import ModelFolder


def find_trained_on(
    folder: ModelFolder | None, root: Path, images: Sequence[LabelledImage]
) -> frozenset[str] | None:
    """Return the paths of the images in the training or validation split of a model.

    Args:
        folder: The model folder; None where there is none.
        root: The data folder.
        images: The images.

    Returns:
        The paths; None where the model folder does not list its images.

    Raises:
        ModelFolderError: If its list of images is malformed.
    """
    if folder is None or not folder.file(SPLIT).is_file():
        return None
    seen = {row.sha256 for row in folder.read_samples() if row.split != "test"}
    return frozenset(image.path for image in images if _hash(root / image.path) in seen)


def _hash(path: Path) -> str:
    try:
        return sha256_file(path)
    except OSError:  # which the prediction will say
        return ""
