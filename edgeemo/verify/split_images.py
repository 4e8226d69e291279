"""The images of the test split, and the predictions of the reference model for them."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from edgeemo.dataset import locate_files
from edgeemo.errors import DatasetError, ModelFolderError
from edgeemo.model.folder import REFERENCE, SPLIT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edgeemo.model.folder import ModelFolder
    from edgeemo.model.spec import ModelSpec
    from edgeemo.model.tables import ReferencePrediction
    from edgeemo.model.training_facts import NamedFolders
    from edgeemo.utils.progress import Progress


def read_references(folder: ModelFolder, spec: ModelSpec) -> list[ReferencePrediction]:
    """Return the predictions of the reference model, which must fit the spec and the test split.

    Raises:
        ModelFolderError: If they do not, or there are none.
    """
    rows, remedy = folder.read_references(), "train or import the model again"
    if not rows:
        raise ModelFolderError(f"{folder.path}: {REFERENCE} lists no test image; {remedy}")
    for row in rows:
        if len(row.scores) != len(spec.labels) or not all(map(math.isfinite, row.scores)):
            raise ModelFolderError(
                f"{folder.path}: {REFERENCE} has no {len(spec.labels)} probabilities for "
                f"{row.path}; {remedy}"
            )
        if row.label not in spec.labels:
            raise ModelFolderError(
                f"{folder.path}: {REFERENCE} has the unknown label {row.label!r}; {remedy}"
            )
    test = Counter(sample.sha256 for sample in folder.read_samples() if sample.split == "test")
    if test != Counter(row.sha256 for row in rows):
        raise ModelFolderError(
            f"{folder.path}: {REFERENCE} does not cover the test split of {SPLIT}; {remedy}"
        )
    return rows


def find_images(
    references: Sequence[ReferencePrediction],
    root: Path,
    source: Path | NamedFolders,
    progress: Progress,
) -> dict[str, Path]:
    """Return the files of the test images by their SHA-256.

    Args:
        references: The predictions of the reference model, which name the images.
        root: The folder to search.
        source: Folder or .zip for messages.
        progress: Gets the progress.

    Raises:
        DatasetError: If one is not there.
    """
    paths = {row.sha256: row.path for row in references}
    found = locate_files(root, paths, hint=paths, progress=progress)
    missing = [row for row in references if row.sha256 not in found]
    if missing:
        raise DatasetError(
            f"{source}: {len(missing):,} of {len(references):,} test images are not there "
            f"(the first is {missing[0].path}, SHA-256 {missing[0].sha256[:12]}...); "
            "name the folder of the images of the training with --data"
        )
    return found
