"""The images of a diagnosis: test images to predict, training images to measure ranges on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.dataset import locate_files, open_data
from edgeemo.dataset.model_images import find_model_images
from edgeemo.errors import DatasetError, ImageError
from edgeemo.export.calibration_images import choose_samples
from edgeemo.imaging.faces import build_crop_detector
from edgeemo.imaging.preprocess import preprocess
from edgeemo.model.detector_file import find_detector_file
from edgeemo.model.folder import SPLIT
from edgeemo.runtime.inputs import expand
from edgeemo.utils.text import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edgeemo.imaging.faces import FaceDetector
    from edgeemo.model.folder import ModelFolder
    from edgeemo.model.spec import ModelSpec
    from edgeemo.model.tables import Sample
    from edgeemo.utils.progress import Progress

_SEED = 1
"""Seed of the choice; that of calibration is 0 by default, so the training images are others."""


@dataclass(frozen=True)
class ImageSet:
    """Images as the network takes them.

    Attributes:
        names: Their paths, relative to the data folder.
        labels: Their classes; "" where it is not known.
        pixels: (N, H, W, C) uint8.
    """

    names: tuple[str, ...]
    labels: tuple[str, ...]
    pixels: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True)
class DiagnosisImages:
    """The images of a diagnosis.

    Attributes:
        test: Images to predict.
        training: Images of the training split; None where they are not at hand.
        notes: What could not be had, in sentences.
    """

    test: ImageSet
    training: ImageSet | None
    notes: tuple[str, ...]


def read_images(
    folder: ModelFolder, spec: ModelSpec, *, data: Path | None, count: int, progress: Progress
) -> DiagnosisImages:
    """Choose, find and read the images.

    Args:
        folder: The model folder.
        spec: Spec of its model.
        data: Folder or .zip of the images; by default that of the training. Where it has none of
            the model's test images, all of its own are taken for them.
        count: Largest number of images of each kind, balanced between the classes.
        progress: Receiver of the progress.

    Raises:
        DatasetError: If there are no images.
        FaceModelError: If the face detector's own file is missing or cannot be used.
        MissingExtraError: If the face detector is not installed.
    """
    source = find_model_images(folder, data)
    samples = folder.read_samples() if folder.file(SPLIT).exists() else []
    detector = build_crop_detector(spec, file=find_detector_file(spec.faces, folder.path))
    reader = _Reader(spec, detector, progress)
    with open_data(source) as root:
        test, training = (
            reader.read_samples(root, _choose(samples, split, spec, count))
            for split in ("test", "train")
        )
        notes = []
        if not len(test):
            if data is None:
                raise DatasetError(
                    f"{source}: has none of the test images; name their folder with --data"
                )
            test = reader.read_folder(root, count)
            if samples:
                notes.append(
                    f"{source} has none of the model's test images: its own are diagnosed, whose "
                    "classes are not known"
                )
    if not len(test):
        raise DatasetError(f"{source}: no image there that can be read")
    if not len(training):
        notes.append(
            "the training images are not at hand: ranges are those of the diagnosed images, so "
            "a calibration on unusual images cannot be told from unusual images here"
        )
    return DiagnosisImages(test, training if len(training) else None, tuple(notes))


def _choose(samples: Sequence[Sample], split: str, spec: ModelSpec, count: int) -> list[Sample]:
    chosen = [sample for sample in samples if sample.split == split]
    return choose_samples(chosen, spec.labels, count=count, seed=_SEED)


@dataclass(frozen=True)
class _Reader:
    spec: ModelSpec
    detector: FaceDetector | None
    progress: Progress

    def read_samples(self, root: Path, samples: Sequence[Sample]) -> ImageSet:
        """Return the samples that are there and can be read."""
        hint = {sample.sha256: sample.path for sample in samples}
        found = locate_files(root, hint, hint=hint, progress=self.progress) if hint else {}
        return self._read(
            [
                (sample.path, sample.label, found[sample.sha256])
                for sample in samples
                if sample.sha256 in found
            ]
        )

    def read_folder(self, root: Path, count: int) -> ImageSet:
        """Return images of a folder, evenly chosen in the order of their names."""
        paths = [Path(str(path)) for path in expand([str(root)])]
        rows = np.linspace(0, len(paths) - 1, min(count, len(paths))).round().astype(int)
        chosen = [paths[row] for row in rows.tolist()]
        return self._read([(path.relative_to(root).as_posix(), "", path) for path in chosen])

    def _read(self, entries: Sequence[tuple[str, str, Path]]) -> ImageSet:
        if entries:
            self.progress.stage(f"Reading {plural(len(entries), 'image')}", total=len(entries))
        names, labels, rows = [], [], []
        for name, label, path in entries:
            try:
                rows.append(preprocess(path, self.spec, detector=self.detector))
            except ImageError as error:
                self.progress.note(f"warning: {error}; it is left out")
            else:
                names.append(name)
                labels.append(label)
            self.progress.advance()
        pixels = np.stack(rows) if rows else np.empty((0, *self.spec.input_shape), np.uint8)
        return ImageSet(tuple(names), tuple(labels), pixels)
