"""Read images of a model folder's test split, for golden images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.dataset import locate_files, open_data
from edgeemo.errors import DatasetError
from edgeemo.model.folder import ADOPTED_JSON

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edgeemo.model.folder import ModelFolder
    from edgeemo.utils.progress import Progress

MAX_IMAGES = 400
"""Maximum number of images to choose from."""
MAX_BYTES = 1 << 18
"""Maximum size of an image file: a bundle stays small."""


def read_test_images(
    folder: ModelFolder, data: Path | None, *, progress: Progress
) -> Iterator[bytes]:
    """Read images of the test split, in an order that only their contents decide.

    Args:
        folder: The model folder.
        data: Folder or .zip of the images; by default the one of the training.
        progress: Receiver of progress.

    Yields:
        The contents of image files of at most `MAX_BYTES`.

    Raises:
        DatasetError: If the images cannot be found.
        ModelFolderError: If the folder does not list its images.
    """
    if folder.file(ADOPTED_JSON).exists():
        raise DatasetError(
            f"{folder.path}: adopted, so it has no test split; bundle drawn images, without "
            "--golden test"
        )
    wanted = {row.sha256: row.path for row in folder.read_samples() if row.split == "test"}
    some = {sha256: wanted[sha256] for sha256 in sorted(wanted)[:MAX_IMAGES]}
    source = data or folder.read_training().data
    if source is None:
        raise DatasetError(
            f"{folder.path}: does not record the folder of its images; name it with --data"
        )
    with open_data(source) as root:
        found = locate_files(root, some, hint=some, progress=progress)
        small = [found[sha256] for sha256 in sorted(found)
                 if found[sha256].stat().st_size <= MAX_BYTES]  # fmt: skip
        if not small:
            raise DatasetError(
                f"{source}: has no test image of at most {MAX_BYTES // 1024} kB; name the folder "
                "of the images with --data, or bundle drawn images"
            )
        for path in small:
            yield path.read_bytes()
