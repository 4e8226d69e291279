"""Images of a search: ingested once, and decoded once per input size."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from edgeemo.errors import StudyError
from edgeemo.train.data import source
from edgeemo.train.data.pipeline import decode_splits
from edgeemo.train.data.soft_labels import load_soft_labels
from edgeemo.train.data.targets import add_targets
from edgeemo.train.networks.network import make_spec
from edgeemo.utils.files import scratch_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from edgeemo.dataset import Dataset
    from edgeemo.imaging.faces import FaceDetector
    from edgeemo.model.tables import Split
    from edgeemo.train.data.pipeline import Pixels
    from edgeemo.train.data.soft_labels import SoftLabels
    from edgeemo.train.data.source import ImageSource
    from edgeemo.train.options.options import TrainOptions
    from edgeemo.utils.progress import Progress


class DecodedImages(Protocol):
    """Pixels at any input size of a search."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the class labels."""

    def decode(self, options: TrainOptions) -> Mapping[Any, Pixels]:
        """Return the pixels of "train" and "validation" at the input size of some options."""


class SearchImages:
    """Training and validation split at any input size. The test split is never read.

    Attributes:
        dataset: The ingested images.
        base: The options that are not searched, with the face settings of the data.
    """

    def __init__(
        self,
        dataset: Dataset,
        base: TrainOptions,
        folder: Path,
        stack: ExitStack,
        progress: Progress,
        *,
        detector: FaceDetector | None = None,
        soft_labels: SoftLabels | None = None,
    ) -> None:
        self.dataset, self.base, self._detector = dataset, base, detector
        self._folder, self._stack, self._progress = folder, stack, progress
        self._soft_labels = soft_labels
        self._sizes: dict[tuple[int, int], Mapping[Split, Pixels]] = {}

    def decode(self, options: TrainOptions) -> Mapping[Split, Pixels]:
        """Return the pixels of "train" and "validation" at the input size of some options.

        Raises:
            ImageError: If an image can no longer be read.
            TrainingError: If the disk is full.
        """
        key = (options.side, options.channels)
        if key not in self._sizes:
            samples = [each for each in self.dataset.samples if each.split != "test"]
            decoded = self._stack.enter_context(
                decode_splits(
                    self.dataset.root,
                    samples,
                    spec=make_spec(self.dataset.labels, options),
                    detector=self._detector,
                    folder=self._folder,
                    progress=self._progress,
                )
            )
            self._sizes[key] = add_targets(decoded, self.dataset, soft_labels=self._soft_labels)
        return self._sizes[key]

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the class labels."""
        return self.dataset.labels

    @property
    def fingerprint(self) -> str:
        """Return a SHA-256 over the images and their split, whatever their paths."""
        lines = sorted(f"{each.split} {each.label} {each.sha256}" for each in self.dataset.samples)
        if self._soft_labels is not None:
            lines.append(self._soft_labels.table.sha256)
        lines += [f"{each.name} {each.weight} {each.soft}" for each in self.dataset.collections]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


@contextmanager
def prepare_images(
    data: ImageSource,
    base: TrainOptions,
    *,
    beside: Path,
    sizes: Iterable[int] = (),
    progress: Progress,
) -> Iterator[SearchImages]:
    """Prepare a folder or an archive of images for a search.

    Args:
        data: The images, as of `edgeemo.train.train`.
        base: Options of the preparation.
        sizes: Input sizes of the search, in pixels; by default that of `base`.
        beside: Path beside which a hidden folder holds the pixels until the block ends.
        progress: Receiver of the progress.

    Raises:
        DatasetError: If the images cannot be used.
        StudyError: If the validation split is empty.
    """
    beside.parent.mkdir(parents=True, exist_ok=True)
    with (
        source.prepare_images(data, base, sizes=sizes, progress=progress) as images,
        scratch_folder(beside) as folder,
        ExitStack() as stack,
    ):
        base, dataset = images.options, images.dataset
        if not any(sample.split == "validation" for sample in dataset.samples):
            raise StudyError(
                f"{source.describe_source(data)}: the validation split is empty; add images"
            )
        soft_labels = load_soft_labels(base, dataset, progress=progress)
        yield SearchImages(
            dataset,
            base,
            folder,
            stack,
            progress,
            detector=images.detector,
            soft_labels=soft_labels,
        )
