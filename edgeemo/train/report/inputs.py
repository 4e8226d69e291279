"""Inputs of the report on a model: all that is known of a model folder in the making."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgeemo.model.tables import SPLITS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgeemo.dataset import Dataset
    from edgeemo.model.spec import ModelSpec
    from edgeemo.model.tables import Split
    from edgeemo.train.data.pipeline import Pixels
    from edgeemo.train.loop.callbacks import FitResult


@dataclass(frozen=True, kw_only=True)
class FolderContents:
    """The contents of a model folder, apart from the reference model.

    Attributes:
        name: Name of the model folder.
        dataset: The ingested images.
        pixels: The decoded splits.
        spec: Spec of the model, with its provenance.
        training: Content of ``training.json``.
        fitted: Outcome of the training; None for an imported model.
    """

    name: str
    dataset: Dataset
    pixels: Mapping[Split, Pixels]
    spec: ModelSpec
    training: Mapping[str, Any]
    fitted: FitResult | None = None

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """Return the number of images by split and label; every split and label has an entry."""
        found = Counter((sample.split, sample.label) for sample in self.dataset.samples)
        return {
            split: {label: found[split, label] for label in self.spec.labels} for split in SPLITS
        }
