"""The folder of a model's images, for the commands that read them after the training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.errors import DatasetError

if TYPE_CHECKING:
    from pathlib import Path

    from edgeemo.model.folder import ModelFolder
    from edgeemo.model.training_facts import NamedFolders


def find_model_images(folder: ModelFolder, data: Path | None) -> Path | NamedFolders:
    """Return the folder or .zip of a model's images: the given one, else that of the training.

    Args:
        folder: The model folder.
        data: The given one, whose existence is not checked; None for that of the training.

    Raises:
        DatasetError: If the model folder names none, or it is gone.
    """
    source = data or folder.read_training().data
    if source is None:
        raise DatasetError(
            f"{folder.path}: does not name its images; name their folder with --data"
        )
    if data is None and not source.exists():
        raise DatasetError(
            f"{source}: the images of the training are no longer there; name their folder with "
            "--data"
        )
    return source
