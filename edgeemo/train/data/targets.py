"""Targets of the training images: distributions over the classes where labels are soft."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgeemo.dataset import Dataset
    from edgeemo.model.tables import Split
    from edgeemo.train.data.pipeline import Pixels
    from edgeemo.train.data.soft_labels import SoftLabels


def add_targets(
    splits: Mapping[Split, Pixels], dataset: Dataset, *, soft_labels: SoftLabels | None
) -> Mapping[Split, Pixels]:
    """Return the splits with targets of the training images, where there are soft labels.

    Args:
        splits: The decoded splits, in the order of the dataset.
        dataset: The images.
        soft_labels: Their soft labels; None where every image has the label of its folder.
    """
    if soft_labels is None:
        return splits
    train = splits["train"]
    hard = np.eye(len(dataset.labels), dtype=np.float32)[train.truth]
    targets = soft_labels.apply(hard, dataset.in_split("train"))
    return {**splits, "train": replace(train, targets=targets)}
