"""Which images to use where nobody named any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.dataset.ingest.find import has_classes
from edgeemo.dataset.synthetic.draw import STYLE_VERSION, draw_faces, read_style_version
from edgeemo.errors import DatasetError

if TYPE_CHECKING:
    from pathlib import Path

    from edgeemo.utils.progress import Progress

DATA_FOLDER = "data"
PRACTICE_FOLDER = "practice-faces"


def choose_data(folder: Path, *, progress: Progress | None = None) -> Path:
    """The images to train on by default.

    Args:
        folder: Where to look, usually the current folder.
        progress: Who is told of the drawing.

    Returns:
        ``data`` inside `folder` if that holds classes; else ``practice-faces``, drawn if need be.

    Raises:
        DatasetError: If a ``practice-faces`` is in the way that edgeemo did not draw.
    """
    data = folder / DATA_FOLDER
    return (
        data
        if has_classes(data)
        else ensure_practice_faces(folder / PRACTICE_FOLDER, progress=progress)
    )


def ensure_practice_faces(folder: Path, *, progress: Progress | None = None) -> Path:
    """A folder of practice faces, drawn unless it is there already.

    Args:
        folder: Where they are or shall be.
        progress: Who is told of the drawing.

    Returns:
        `folder`.

    Raises:
        DatasetError: If a folder of that name is in the way that edgeemo did not draw.
    """
    style = read_style_version(folder)
    if style == STYLE_VERSION:
        return folder
    if style is None and folder.exists():
        raise DatasetError(
            f"{folder}: not drawn by edgeemo, so it is not replaced; rename it, or name it "
            "with --data"
        )
    return draw_faces(folder, replace=True, progress=progress)
