"""The images of the proof: the test split, a folder, or the drawn golden images."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeemo.dataset import draw_golden_images, open_data
from edgeemo.dataset.ingest.folders import walk_files
from edgeemo.dataset.model_images import find_model_images
from edgeemo.errors import DatasetError
from edgeemo.imaging.suffixes import format_by_name, is_ignored
from edgeemo.model.folder import REFERENCE
from edgeemo.verify.split_images import find_images, read_references

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from edgeemo.model.folder import ModelFolder
    from edgeemo.model.tables import ReferencePrediction
    from edgeemo.utils.progress import Progress

_DRAWN = 100


@dataclass(frozen=True, kw_only=True)
class ProofImages:
    """Images to compare two files on.

    Attributes:
        name: What they are, in words.
        sources: Paths, or contents of image files.
        references: The predictions of the reference model for them; () where it gave none.
        are_drawn: Whether they are drawn.
    """

    name: str
    sources: Sequence[Path | bytes]
    references: Sequence[ReferencePrediction] = ()
    are_drawn: bool = False


@contextmanager
def open_images(
    folder: ModelFolder, data: Path | None, *, progress: Progress
) -> Iterator[ProofImages]:
    """Yield the images of the test split; of a model without one those in `data`, or drawn ones.

    Raises:
        DatasetError: If an image is not there, or `data` has none.
        ModelFolderError: If the test split is unusable.
    """
    if folder.file(REFERENCE).exists():
        references = read_references(folder, folder.read_spec())
        source = find_model_images(folder, data)
        with open_data(source) as root:
            found = find_images(references, root, source, progress)
            paths = [found[row.sha256] for row in references]
            yield ProofImages(name="test images", sources=paths, references=references)
    elif data is not None:
        with open_data(data) as root:
            yield ProofImages(name=f"images of {data}", sources=_list_images(root, data))
    else:
        drawn = draw_golden_images(count=_DRAWN)
        yield ProofImages(name="drawn images", sources=drawn, are_drawn=True)


def _list_images(root: Path, data: Path) -> list[Path]:
    found = [path for path in walk_files(root) if format_by_name(path.name)]
    images = sorted(path for path in found if not is_ignored(path.name))
    if not images:
        raise DatasetError(f"{data}: no image file")
    return images
