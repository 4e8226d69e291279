"""Find out whether other labels or another scaling fit an imported model far better."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo.metrics import mcnemar_p_value
from edgeemo.model.doubt import Doubt
from edgeemo.model.keras import import_keras
from edgeemo.model.keras_ends import add_ends
from edgeemo.model.keras_engine import predict
from edgeemo.model.scaling import PRESETS, Head, Scaling

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from edgeemo.model.spec import ModelSpec
    from edgeemo.model.tables import Split
    from edgeemo.train.data.pipeline import Pixels
    from edgeemo.utils.progress import Progress

_MOST_IMAGES = 256
_CHUNK = 64
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
_FEW_LABELS = 3


@dataclass(frozen=True)
class _Alternative:
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
        return float(self.right.mean())

    @property
    def changes(self) -> int:
        return int(self.scaling is not None) + int(self.is_reordered)

    @property
    def is_reordered(self) -> bool:
        return bool((self.order != np.arange(len(self.order))).any())

    def is_better_than(self, given: _Alternative) -> bool:
        only_given = int((given.right & ~self.right).sum())
        only_own = int((self.right & ~given.right).sum())
        return (
            self.accuracy - given.accuracy >= _GAIN
            and self.recall - given.recall >= _GAIN
            and mcnemar_p_value(only_given, only_own) * self.tried < _SIGNIFICANT
        )


def find_doubt(
    model: Any,
    pixels: Mapping[Split, Pixels],
    *,
    spec: ModelSpec,
    scaling: Scaling,
    head: Head,
    progress: Progress,
) -> Doubt | None:
    """Return the doubt about labels or scaling; None where those given are as good as others.

    Args:
        model: The Keras model as loaded.
        pixels: The images of all splits.
        spec: Spec of the model.
        scaling: Its scaling, as given.
        head: Meaning of its output.
        progress: Gets a stage.
    """
    rows, truth = _choose_images(pixels)
    network = add_ends(import_keras(), model, spec.input_shape, scaling=Scaling(), head=head)
    others = list(_list_others(scaling, spec.channels))
    tried = 1 + len(others)
    progress.stage("Trying other scalings", total=tried)

    def try_scaling(each: Scaling, step: int = 1) -> list[_Alternative]:
        predicted = _predict(network, rows[::step], spec=spec, scaling=each)
        own = None if each == scaling else each
        return list(_list_alternatives(predicted, truth[::step], spec, own, tried=tried))

    found = try_scaling(scaling)
    progress.advance()
    if found[0].accuracy > 1 - _GAIN:
        return None
    for each in others:
        few = try_scaling(each, _STEP)  # a large network takes its time for all images
        if max(alternative.accuracy for alternative in few) > found[0].right[::_STEP].mean():
            found += try_scaling(each)
        progress.advance()
    return _choose(found, truth, spec)


def _choose(found: list[_Alternative], truth: NDArray[np.int64], spec: ModelSpec) -> Doubt | None:
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


def _choose_images(
    pixels: Mapping[Split, Pixels],
) -> tuple[list[NDArray[np.uint8]], NDArray[np.int64]]:
    """Return images evenly spread over the splits, and with that over the classes."""
    places = [(split, row) for split, each in pixels.items() for row in range(len(each))]
    chosen = np.unique(np.linspace(0, len(places) - 1, _MOST_IMAGES).round().astype(int))
    picked = [places[place] for place in chosen.tolist()]
    truth = np.array([pixels[split].truth[row] for split, row in picked], np.int64)
    return [pixels[split].rows[row] for split, row in picked], truth


def _list_others(given: Scaling, channels: int) -> Iterator[Scaling]:
    """Yield the usual scalings, and the one given with the channels in the other order."""
    for each in PRESETS.values():
        if each != given and (channels == 3 or not each.needs_colour):
            yield each
    if channels == 3:
        scale, offset = given.scale[::-1], given.offset[::-1]
        yield Scaling(scale=scale, offset=offset, bgr=not given.bgr)


def _predict(
    network: Any, rows: list[NDArray[np.uint8]], *, spec: ModelSpec, scaling: Scaling
) -> NDArray[np.int64]:
    """Return the index of the most probable output, (N,)."""
    predicted: list[int] = []
    for start in range(0, len(rows), _CHUNK):
        images = _apply(np.stack(rows[start : start + _CHUNK]), scaling)
        outputs = np.nan_to_num(predict(network, images))
        predicted += [spec.decide(spec.scores(row)) for row in outputs.tolist()]
    return np.array(predicted, np.int64)


def _apply(pixels: NDArray[np.uint8], scaling: Scaling) -> NDArray[np.float32]:
    ordered = pixels[..., ::-1] if scaling.bgr else pixels
    scale, offset = (np.array(each, np.float32) for each in (scaling.scale, scaling.offset))
    return np.asarray(ordered * scale + offset, np.float32)


def _list_alternatives(
    predicted: NDArray[np.int64],
    truth: NDArray[np.int64],
    spec: ModelSpec,
    scaling: Scaling | None,
    *,
    tried: int,
) -> Iterator[_Alternative]:
    """Yield the predictions with the labels as given, and with those in the best order."""
    count, present = len(spec.labels), len(set(truth.tolist()))
    confusion = np.zeros((count, count))
    np.add.at(confusion, (truth, predicted), 1)
    recalls = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    same = np.arange(count)
    orders = math.perm(count, present)
    for order, number in ((same, 1), (_find_best_order(recalls), orders)):
        recall = float(recalls[order, same].sum() / present)
        yield _Alternative(order, scaling, order[predicted] == truth, recall, number * tried)


def _find_best_order(recalls: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the label of each output, (K,), with the highest mean recall.

    Args:
        recalls: (K, K) share of the images of a class for which an output is the largest.
    """
    count = len(recalls)
    gains = recalls + 1e-6 * np.eye(count)  # of equally good orders the given one
    if count <= _FEW_LABELS:
        orders = map(np.array, permutations(range(count)))
        return max(orders, key=lambda order: float(gains[order, np.arange(count)].sum()))
    from scipy.optimize import linear_sum_assignment  # of the data extra, as the ingest

    labels, outputs = linear_sum_assignment(gains, maximize=True)
    return np.asarray(labels[np.argsort(outputs)], np.int64)
