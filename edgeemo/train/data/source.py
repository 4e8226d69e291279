"""The images of a training: a folder or .zip, or several collections."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from edgeemo.dataset import (
    Collection,
    ingest_collections,
    ingest_folder,
    name_collections,
    open_collections,
    open_data,
    parse_collection,
    sample_faces,
)
from edgeemo.dataset.ingest.find import find_files
from edgeemo.errors import TrainingError
from edgeemo.train.auto import choose_faces, choose_network
from edgeemo.train.options.faces import (
    build_crop_specs,
    build_ingest_options,
    build_training_detector,
    settle_faces,
)
from edgeemo.utils.text import join_and

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from edgeemo.dataset import Dataset
    from edgeemo.imaging.faces import FaceDetector
    from edgeemo.train.options.options import TrainOptions
    from edgeemo.utils.paths import StrPath
    from edgeemo.utils.progress import Progress

ImageSource: TypeAlias = "Path | tuple[Collection, ...]"


@dataclass(frozen=True, kw_only=True)
class PreparedImages:
    """The images of a training, cleaned and split.

    Attributes:
        dataset: The images.
        options: The training options, with the face settings of the folder.
        detector: The face detector; None where images are taken whole.
    """

    dataset: Dataset
    options: TrainOptions
    detector: FaceDetector | None


@contextmanager
def prepare_images(
    data: ImageSource, options: TrainOptions, *, sizes: Iterable[int] = (), progress: Progress
) -> Iterator[PreparedImages]:
    """Clean and split the images of a training, which can be read until the block ends.

    Args:
        data: The images.
        options: The training options.
        sizes: Input sizes in pixels at which faces are to be found; by default that of the options.
        progress: Receives the progress.

    Raises:
        DatasetError: If the images cannot be used.
        TrainingError: If collections were cropped differently.
    """
    if isinstance(data, Path):
        with open_data(data) as root:
            options = settle_faces(options, root, data=data, progress=progress)
            options = _decide(options, [root], progress=progress)
            detector = build_training_detector(options)
            ingest = replace(build_ingest_options(options), crops=build_crop_specs(options, sizes))
            dataset = ingest_folder(root, options=ingest, detector=detector, progress=progress)
            yield PreparedImages(dataset=dataset, options=options, detector=detector)
        return
    with open_collections(data) as (root, collections):
        settled = [
            settle_faces(options, each.folder, data=each.given.path, progress=progress)
            for each in collections
        ]
        options = _require_same_faces(data, settled)
        options = _decide(options, [each.folder for each in collections], progress=progress)
        detector = build_training_detector(options)
        dataset = ingest_collections(
            root,
            collections,
            options=replace(build_ingest_options(options), crops=build_crop_specs(options, sizes)),
            detector=detector,
            progress=progress,
        )
        yield PreparedImages(dataset=dataset, options=options, detector=detector)


def convert_source(data: StrPath | Sequence[Collection]) -> ImageSource:
    """Return the images of one path, or of several collections."""
    return Path(data) if isinstance(data, str | os.PathLike) else tuple(data)


def _decide(options: TrainOptions, folders: Iterable[Path], *, progress: Progress) -> TrainOptions:
    """Return the options with faces decided and, in mode auto, the network chosen."""
    sample = None
    if options.faces is None or options.undecided:
        progress.stage("Searching a sample of the images for faces")
        found = [
            folder / file.path
            for folder in folders
            for file in find_files(folder, classes=options.classes).files
        ]
        sample = sample_faces(found)
    if options.faces is None and sample:
        options = choose_faces(options, sample, progress)
    options = replace(options, faces=bool(options.faces))
    return choose_network(options, sample, progress) if options.undecided else options


def make_source(paths: Sequence[Path]) -> ImageSource:
    """Return the images of one or several paths."""
    return paths[0] if len(paths) == 1 else tuple(Collection(path=path) for path in paths)


def list_paths(data: ImageSource) -> list[Path]:
    """Return the folders and .zip files of the images."""
    return [data] if isinstance(data, Path) else [each.path for each in data]


def describe_source(data: ImageSource) -> str:
    """Return the folders and .zip files of the images as text."""
    return join_and([*map(str, list_paths(data))])


def name_source(data: ImageSource) -> str:
    """Return a name for the images, of those of their folders."""
    collections = [Collection(path=data)] if isinstance(data, Path) else data
    return "-".join(name_collections(collections).folders)


def record_source(data: ImageSource, *, absolute: bool = False) -> Any:
    """Return the images as plain values for `read_source`.

    Args:
        data: The images.
        absolute: Whether to make paths absolute.
    """

    def shown(path: Path) -> str:
        return str(path.absolute() if absolute else path)

    if isinstance(data, Path):
        return shown(data)
    return [
        {
            "path": shown(each.path),
            "weight": each.weight,
            **({"classes": dict(each.classes)} if each.classes else {}),
        }
        for each in data
    ]


def read_source(content: Any) -> ImageSource:
    """Return the images that `record_source` recorded, or that a configuration file names.

    Raises:
        DatasetError: If it is neither a path nor a list of collections.
        TypeError: If it is something else.
    """
    if isinstance(content, str):
        return Path(content)
    if not isinstance(content, list) or not content:
        raise TypeError(f"data must be a path, or tables [[data]], not {content!r}")
    return tuple(parse_collection(each) for each in content)


def _require_same_faces(
    data: tuple[Collection, ...], settled: Sequence[TrainOptions]
) -> TrainOptions:
    for each, options in zip(data, settled, strict=True):
        if options != settled[0]:
            raise TrainingError(
                f"{each.path} and {data[0].path} were not cropped alike; give --faces --cropped "
                "with the settings of the model, or --no-faces"
            )
    return settled[0]
