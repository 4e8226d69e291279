"""The default images of a training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.dataset.ingest.class_folders import has_classes
from edgeemo.dataset.synthetic.draw import STYLE_VERSION, draw_faces, read_style_version
from edgeemo.errors import DatasetError

if TYPE_CHECKING:
    from edgeemo.utils.paths import StrPath
    from edgeemo.utils.progress import Progress

DATA_FOLDER = "data"
PRACTICE_FOLDER = "practice-faces"


def choose_data(folder: StrPath, *, progress: Progress | None = None) -> Path:
    """Return the folder of images to train on by default.

    Args:
        folder: Folder to search, usually the current one.
        progress: Receives the progress of drawing.

    Returns:
        ``data`` inside `folder` if that has classes; else ``practice-faces``, drawn if necessary.

    Raises:
        DatasetError: If ``practice-faces`` exists and edgeemo did not draw it.
    """
    folder = Path(folder)
    data = folder / DATA_FOLDER
    return (
        data
        if has_classes(data)
        else ensure_practice_faces(folder / PRACTICE_FOLDER, progress=progress)
    )


def ensure_practice_faces(folder: StrPath, *, progress: Progress | None = None) -> Path:
    """Draw a folder of practice faces unless it exists.

    Args:
        folder: The folder.
        progress: Receives the progress of drawing.

    Returns:
        `folder`.

    Raises:
        DatasetError: If the folder exists and edgeemo did not draw it.
    """
    folder = Path(folder)
    style = read_style_version(folder)
    if style == STYLE_VERSION:
        return folder
    if style is None and folder.exists():
        raise DatasetError(
            f"{folder}: not drawn by edgeemo and not replaced; rename it, or pass it with --data"
        )
    return draw_faces(folder, replace=True, progress=progress)
