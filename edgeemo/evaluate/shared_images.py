"""The test images that several models share, none of which any of them was trained on."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from edgeemo.dataset.ingest.lookup import locate_files
from edgeemo.dataset.ingest.sources import open_data
from edgeemo.errors import DatasetError
from edgeemo.evaluate.labelled import LabelledImage
from edgeemo.model.folder import SPLIT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from edgeemo.model.folder import ModelFolder
    from edgeemo.model.tables import Sample
    from edgeemo.model.training_facts import NamedFolders
    from edgeemo.utils.progress import Progress

_REMEDY = "name labelled images with --data"


def find_shared_samples(
    folders: Mapping[str, ModelFolder | None], labels: Sequence[str]
) -> dict[str, Sample]:
    """Return the test images that all models share, by SHA-256.

    Args:
        folders: Model folder of each model, by name; None where it is in none.
        labels: The classes that every model has; other images are left out.

    Raises:
        DatasetError: If a model's folder does not list its images, or they share none.
    """
    splits = {name: _read_split(name, folder) for name, folder in folders.items()}
    first, *others = [
        {row.sha256: row for row in rows if row.split == "test"} for rows in splits.values()
    ]
    seen = {row.sha256 for rows in splits.values() for row in rows if row.split != "test"}
    shared = {
        sha256: row
        for sha256, row in first.items()
        if row.label in labels and sha256 not in seen and all(sha256 in other for other in others)
    }
    if not shared:
        raise DatasetError(f"no common test images of {' and '.join(splits)}; {_REMEDY}")
    return shared


@contextmanager
def open_shared_images(
    shared: Mapping[str, Sample],
    folders: Sequence[ModelFolder | None],
    *,
    progress: Progress,
) -> Iterator[tuple[Path, str, list[LabelledImage]]]:
    """Yield the folder that holds shared test images, its name, and the images.

    Args:
        shared: The images by SHA-256.
        folders: The model folders, which are searched for images in turn.
        progress: Receives the progress.

    Raises:
        DatasetError: If they are not all where a model's folder says.
    """
    source = _find_source(folders)
    hint = {sha256: row.path for sha256, row in shared.items()}
    with open_data(source) as root:
        found = locate_files(root, shared, hint=hint, progress=progress)
        if len(found) < len(shared):
            raise DatasetError(
                f"{source}: {len(shared) - len(found):,} of {len(shared):,} common test images are "
                f"not here any more; {_REMEDY}"
            )
        images = [_label(path.relative_to(root), shared[key]) for key, path in found.items()]
        yield root, str(source), sorted(images, key=lambda image: image.path)


def _read_split(name: str, folder: ModelFolder | None) -> list[Sample]:
    if folder is None or not folder.file(SPLIT).is_file():
        raise DatasetError(f"{name}: its test images are not listed beside it; {_REMEDY}")
    return folder.read_samples()


def _find_source(folders: Sequence[ModelFolder | None]) -> Path | NamedFolders:
    sources = [folder.read_training().data for folder in folders if folder is not None]
    found = next((source for source in sources if source is not None and source.exists()), None)
    if found is None:
        named = next((str(source) for source in sources if source is not None), "")
        raise DatasetError(f"{named or 'the images of the training'}: gone; {_REMEDY}")
    return found


def _label(path: Path, row: Sample) -> LabelledImage:
    inside = PurePosixPath(path.as_posix())
    return LabelledImage(str(inside), inside.parent.name, row.label, inside.name)
