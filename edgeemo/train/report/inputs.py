"""Inputs of the report on a model: all that is known of a model folder in the making."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeemo.model.tables import SPLITS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from edgeemo.dataset import Dataset
    from edgeemo.model.doubt import Doubt
    from edgeemo.model.scaling import Head, Scaling
    from edgeemo.model.spec import ModelSpec
    from edgeemo.model.tables import Sample, Split
    from edgeemo.train.data.pipeline import Pixels
    from edgeemo.train.data.soft_labels import SoftLabels
    from edgeemo.train.data.source import ImageSource
    from edgeemo.train.loop.callbacks import FitResult
    from edgeemo.train.options.options import TrainOptions
    from edgeemo.train.temperature import FittedTemperature

IMPORTED = "imported"
"""The ``arch`` of a model that was not trained here."""


@dataclass(frozen=True, kw_only=True)
class FitSummary:
    """The course of a training.

    Attributes:
        epochs: Number of epochs that were requested.
        epochs_run: Number of epochs that were completed.
        best_epoch: The epoch of the weights, from 1.
        interrupted: Whether Ctrl-C ended the training.
        stopped_early: Whether it ended because no epoch improved any more.
        validates_on_test: Whether the test split served as validation.
        train_accuracy: Accuracy on the training split during that epoch, 0 to 1; None if unknown.
    """

    epochs: int
    epochs_run: int
    best_epoch: int
    interrupted: bool
    stopped_early: bool
    validates_on_test: bool
    train_accuracy: float | None = None


@dataclass(frozen=True, kw_only=True)
class TrainingRun:
    """The training of a model.

    Attributes:
        options: Its options.
        fitted: Its outcome.
        calibration: Calibration on the validation split; None without a validation split.
        teacher_sha256: SHA-256 of each teacher.
        soft_labels: Soft labels of the images; None where they have the labels of their folders.
    """

    options: TrainOptions
    fitted: FitResult
    calibration: FittedTemperature | None
    teacher_sha256: tuple[str, ...] = ()
    soft_labels: SoftLabels | None = None

    @property
    def arch(self) -> str:
        """Return the name of the network."""
        return self.options.arch

    @property
    def seed(self) -> int:
        """Return the seed of the split."""
        return self.options.seed

    @property
    def accept(self) -> tuple[str, ...]:
        """Return the additional image formats."""
        return self.options.accept

    def summarise(self) -> FitSummary:
        """Return the course of the training."""
        return FitSummary(
            epochs=self.options.epochs,
            epochs_run=len(self.fitted.history),
            best_epoch=self.fitted.best_epoch,
            interrupted=self.fitted.interrupted,
            stopped_early=self.fitted.stopped_early,
            validates_on_test=self.options.validates_on_test,
            train_accuracy=self.fitted.history[self.fitted.best_epoch - 1].accuracy,
        )


@dataclass(frozen=True, kw_only=True)
class ModelImport:
    """The import of a model.

    Attributes:
        source: Name of its file or folder.
        scaling: The input that it was trained with.
        head: Meaning of its output.
        seed: Seed of the split.
        accept: Additional image formats.
        doubt: Doubt about the labels or the scaling; None where they fit.
    """

    source: str
    scaling: Scaling
    head: Head
    seed: int
    accept: tuple[str, ...]
    doubt: Doubt | None = None

    @property
    def arch(self) -> str:
        """Return `IMPORTED`."""
        return IMPORTED


@dataclass(frozen=True, kw_only=True)
class FolderContents:
    """The contents of a model folder, apart from the reference model.

    Attributes:
        out: Path of the model folder, once it is complete.
        data: The images, as the user named them.
        dataset: The ingested images.
        pixels: The decoded splits.
        spec: Spec of the model, with its provenance.
        origin: How the model was made.
        versions: Versions of the packages that its predictions depend on.
    """

    out: Path
    data: ImageSource
    dataset: Dataset
    pixels: Mapping[Split, Pixels]
    spec: ModelSpec
    origin: TrainingRun | ModelImport
    versions: Mapping[str, str]

    @property
    def run(self) -> TrainingRun | None:
        """Return the training; None for an imported model."""
        return self.origin if isinstance(self.origin, TrainingRun) else None

    @property
    def imported(self) -> ModelImport | None:
        """Return the import; None for a trained model."""
        return self.origin if isinstance(self.origin, ModelImport) else None

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """Return the number of images by split and label; every split and label has an entry."""
        found = Counter((sample.split, sample.label) for sample in self.dataset.samples)
        return {
            split: {label: found[split, label] for label in self.spec.labels} for split in SPLITS
        }

    @property
    def test_samples(self) -> list[Sample]:
        """Return the images of the test split, in the order of their pixels."""
        return self.list_samples("test")

    def list_samples(self, split: Split) -> list[Sample]:
        """Return the images of a split, in the order of their pixels."""
        return [sample for sample in self.dataset.samples if sample.split == split]
