"""The images of a search: found and judged once, and decoded once per input size."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.dataset import ingest_folder, open_data
from edgeemo.errors import StudyError
from edgeemo.train.data.pipeline import decode_splits
from edgeemo.train.networks.network import make_spec
from edgeemo.train.options.faces import (
    build_crop_specs,
    build_ingest_options,
    build_training_detector,
    settle_faces,
)
from edgeemo.utils.files import is_running

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from edgeemo.dataset import Dataset
    from edgeemo.imaging.faces import FaceDetector
    from edgeemo.model.tables import Split
    from edgeemo.train.data.pipeline import Pixels
    from edgeemo.train.options.options import TrainOptions
    from edgeemo.utils.progress import Progress


class Images:
    """The training and the validation split at any size. The test split is never looked at.

    Attributes:
        dataset: What the ingest gave.
        base: The options that are not searched, with what the data says of faces.
    """

    def __init__(
        self,
        dataset: Dataset,
        base: TrainOptions,
        folder: Path,
        stack: ExitStack,
        shown: Progress,
        *,
        detector: FaceDetector | None = None,
    ) -> None:
        self.dataset, self.base, self._detector = dataset, base, detector
        self._folder, self._stack, self._shown = folder, stack, shown
        self._sizes: dict[tuple[int, int], Mapping[Split, Pixels]] = {}

    def at(self, options: TrainOptions) -> Mapping[Split, Pixels]:
        """The pixels as these options want them: "train" and "validation".

        Raises:
            ImageError: If an image cannot be read any more.
            TrainingError: If the disk cannot hold them.
        """
        key = (options.side, options.channels)
        if key not in self._sizes:
            samples = [each for each in self.dataset.samples if each.split != "test"]
            self._sizes[key] = self._stack.enter_context(
                decode_splits(
                    self.dataset.root,
                    samples,
                    spec=make_spec(self.dataset.labels, options),
                    detector=self._detector,
                    folder=self._folder,
                    progress=self._shown,
                )
            )
        return self._sizes[key]

    @property
    def fingerprint(self) -> str:
        """Which images these are and how they are split, wherever they lie."""
        lines = sorted(f"{each.split} {each.label} {each.sha256}" for each in self.dataset.samples)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


@contextmanager
def images(
    data: Path,
    base: TrainOptions,
    *,
    near: Path,
    sizes: Iterable[int] = (),
    progress: Progress,
) -> Iterator[Images]:
    """Prepare a folder or an archive of images for a search.

    Args:
        data: See `edgeemo.train.train`.
        base: How to prepare them.
        sizes: Sides of the input that will be asked for; by default that of `base`.
        near: Beside this path, in a hidden folder that goes when the block ends, the pixels lie.
        progress: Is told of every stage.

    Raises:
        DatasetError: If the images cannot be used.
        StudyError: If there is nothing to validate with.
    """
    near.parent.mkdir(parents=True, exist_ok=True)
    _sweep(near)
    with (
        open_data(data) as root,
        tempfile.TemporaryDirectory(
            prefix=f".{near.name}.pixels-{os.getpid()}-", dir=near.parent
        ) as folder,
        ExitStack() as stack,
    ):
        base = settle_faces(base, root, data=data, progress=progress)
        prepared = replace(build_ingest_options(base), crops=build_crop_specs(base, sizes))
        detector = build_training_detector(base)
        dataset = ingest_folder(root, options=prepared, detector=detector, progress=progress)
        if not any(sample.split == "validation" for sample in dataset.samples):
            raise StudyError(f"{data}: no image is left to validate with; add images")
        yield Images(dataset, base, Path(folder), stack, progress, detector=detector)


def _sweep(near: Path) -> None:
    """Remove what killed searches have left."""
    for stale in near.parent.glob(f".{near.name}.pixels-*-*"):
        owner = stale.name.split(".pixels-")[1].partition("-")[0]
        if owner.isdigit() and not is_running(int(owner)):
            shutil.rmtree(stale, ignore_errors=True)
