"""Judge whether other labels or another scaling fit a model's images far better."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.metrics import assign_columns, mcnemar_p_value
from edgeemo.model.doubt import Doubt
from edgeemo.model.scaling import PRESETS, Scaling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from edgeemo.model.spec import ModelSpec
    from edgeemo.utils.progress import Progress

MOST_IMAGES = 256
"""Largest number of images on which scalings are compared."""
_STEP = 4
"""Every so many images are tried first; the others only where that makes a scaling promising."""
_GAIN = 0.1
"""Smallest gain of accuracy, and of mean recall, that is worth a warning."""
_ABOVE_CHANCE = 0.15
"""Smallest mean recall beyond that of one prediction for all images."""
_SIGNIFICANT = 0.01
"""Largest p-value of McNemar's test, times the number of alternatives (Bonferroni)."""
_NEARLY = 0.05
"""Accuracy that a second change has to add to the first."""


@dataclass(frozen=True)
class Alternative:
    """Predictions with another scaling or order of labels.

    Attributes:
        order: (K,) the label, by its index, of each output.
        scaling: The scaling; None for the one given.
        right: (N,) whether each prediction is right.
        recall: Mean recall of the classes, 0 to 1.
        tried: Number of alternatives of its kind.
    """

    order: NDArray[np.int64]
    scaling: Scaling | None
    right: NDArray[np.bool_]
    recall: float
    tried: int

    @property
    def accuracy(self) -> float:
        """Return the share of the images that are predicted rightly."""
        return float(self.right.mean())

    @property
    def changes(self) -> int:
        """Return the number of changes: 0, 1 or 2."""
        return int(self.scaling is not None) + int(self.is_reordered)

    @property
    def is_reordered(self) -> bool:
        """Return whether the labels have another order."""
        return bool((self.order != np.arange(len(self.order))).any())

    def is_better_than(self, given: Alternative) -> bool:
        """Return whether it is better by far, and not by chance."""
        only_given = int((given.right & ~self.right).sum())
        only_own = int((self.right & ~given.right).sum())
        return (
            self.accuracy - given.accuracy >= _GAIN
            and self.recall - given.recall >= _GAIN
            and mcnemar_p_value(only_given, only_own) * self.tried < _SIGNIFICANT
        )


def judge_scalings(
    predict: Callable[[Scaling, int], NDArray[np.int64]],
    truth: NDArray[np.int64],
    *,
    spec: ModelSpec,
    scalings: Sequence[Scaling],
    progress: Progress,
) -> Doubt | None:
    """Return the doubt about labels or scaling; None where those given are as good as others.

    Args:
        predict: Takes a scaling and a step, and returns the index of the most probable label of
            every so many images.
        truth: (N,) index of the label of each image.
        spec: Spec of the model.
        scalings: The one given, and others to try; see `list_scalings`.
        progress: Gets a stage.
    """
    given, *others = scalings
    tried = len(scalings)
    progress.stage("Trying other scalings", total=tried)

    def try_scaling(each: Scaling, step: int = 1) -> list[Alternative]:
        own = None if each == given else each
        return list(list_alternatives(predict(each, step), truth[::step], spec, own, tried=tried))

    found = try_scaling(given)
    progress.advance()
    if found[0].accuracy > 1 - _GAIN:
        return None
    for each in others:
        few = try_scaling(each, _STEP)  # a large network takes its time for all images
        if max(alternative.accuracy for alternative in few) > found[0].right[::_STEP].mean():
            found += try_scaling(each)
        progress.advance()
    return choose_doubt(found, truth, spec)


def list_scalings(given: Scaling, channels: int) -> Iterator[Scaling]:
    """Yield the scaling given, the usual ones, and the one given with the colours reversed.

    Args:
        given: The scaling of a model.
        channels: Number of its channels.
    """
    yield given
    for each in PRESETS.values():
        if each != given and (channels == 3 or not each.needs_colour):
            yield each
    if channels == 3:
        scale, offset = given.scale[::-1], given.offset[::-1]
        yield Scaling(scale=scale, offset=offset, bgr=not given.bgr)


def choose_positions(count: int) -> list[int]:
    """Return the positions of at most `MOST_IMAGES` images, evenly among `count`."""
    chosen = np.linspace(0, count - 1, min(count, MOST_IMAGES)).round().astype(int)
    return [int(place) for place in np.unique(chosen)]


def choose_doubt(
    found: Sequence[Alternative], truth: NDArray[np.int64], spec: ModelSpec
) -> Doubt | None:
    """Return the clearly better alternative with the fewest changes; None without one.

    Args:
        found: The predictions as given, and the alternatives.
        truth: As of `judge_scalings`.
        spec: As of `judge_scalings`.
    """
    given, chance = found[0], 1 / len(set(truth.tolist()))
    better = [
        each
        for each in found
        if each.is_better_than(given) and each.recall >= chance + _ABOVE_CHANCE
    ]
    if not better:
        return None
    best = max(each.accuracy for each in better)
    near = [each for each in better if each.accuracy >= best - _NEARLY]
    chosen = min(near, key=lambda each: (each.changes, -each.accuracy))
    return Doubt(
        accuracy=given.accuracy,
        better=chosen.accuracy,
        n=len(truth),
        labels=tuple(spec.labels[i] for i in chosen.order) if chosen.is_reordered else None,
        scaling=chosen.scaling,
    )


def list_alternatives(
    predicted: NDArray[np.int64],
    truth: NDArray[np.int64],
    spec: ModelSpec,
    scaling: Scaling | None,
    *,
    tried: int,
) -> Iterator[Alternative]:
    """Yield the predictions with the labels as given, and with those in the best order.

    Args:
        predicted: (N,) index of the most probable label of each image.
        truth: As of `judge_scalings`.
        spec: As of `judge_scalings`.
        scaling: The scaling; None for the one given.
        tried: Number of scalings.
    """
    count, present = len(spec.labels), len(set(truth.tolist()))
    confusion = np.zeros((count, count))
    np.add.at(confusion, (truth, predicted), 1)
    recalls = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    same = np.arange(count)
    orders = math.perm(count, present)
    for order, number in ((same, 1), (find_best_order(recalls), orders)):
        recall = float(recalls[order, same].sum() / present)
        yield Alternative(order, scaling, order[predicted] == truth, recall, number * tried)


def find_best_order(recalls: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the label of each output, (K,), with the highest mean recall.

    Args:
        recalls: (K, K) share of the images of a class for which an output is the largest.
    """
    gains = recalls + 1e-6 * np.eye(len(recalls))  # of equally good orders the given one
    return np.argsort(assign_columns(gains))
