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
    """Return the splits with targets of the training images, where they need some.

    They do with soft labels, and with collections that have weights or classes with shares. The
    truth of an image of such a class is the one with the largest share.

    Args:
        splits: The decoded splits, in the order of the dataset.
        dataset: The images.
        soft_labels: Their soft labels; None where every image has the label of its folder.
    """
    weighted = any(each.soft or each.weight != 1 for each in dataset.collections)
    if soft_labels is None and not weighted:
        return splits
    train, samples = splits["train"], dataset.in_split("train")
    targets = np.eye(len(dataset.labels), dtype=np.float32)[train.truth]
    weights = np.ones((len(samples), 1), np.float32)
    for number, sample in enumerate(samples):
        for each in dataset.collections:
            if each.owns(sample):
                weights[number] = each.weight
                if sample.label in each.soft:
                    targets[number] = each.soft[sample.label]
    if soft_labels is not None:
        targets = soft_labels.apply(targets, samples)
    truth = np.where(train.truth < 0, targets.argmax(axis=1), train.truth)
    return {**splits, "train": replace(train, truth=truth, targets=targets * weights)}
