"""Galleries of images and predictions, for a page and as contact sheets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgeemo.model.folder import PLOTS
from edgeemo.report.contact_sheet import write_contact_sheet
from edgeemo.report.document import Gallery, Plot, Tile

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from edgeemo.model.spec import ModelSpec
    from edgeemo.train.data.pipeline import Pixels
    from edgeemo.train.report.evaluation import Evaluation, Mistake

_COLUMNS = 6
_SAMPLES = 12
_BATCH = 24


def draw_samples(folder: Path, train: Pixels, *, spec: ModelSpec, seed: int) -> Gallery:
    """Draw twelve training images with their labels, the classes in turn."""
    tiles = [
        Tile(image=train.rows[row], caption=_describe_label(train, row, spec.labels))
        for row in _order_in_turn(train.truth, len(spec.labels), seed)[:_SAMPLES]
    ]
    title = f"{len(tiles)} training images with their labels, as the network sees them"
    return draw_gallery(folder, "samples", tiles, title=title)


def draw_predictions(
    folder: Path, test: Pixels, *, evaluation: Evaluation, spec: ModelSpec, seed: int
) -> Gallery:
    """Draw a random batch of test images with their predictions."""
    rows = np.random.default_rng(seed).permutation(len(test))[:_BATCH]
    tiles = [
        Tile(
            image=test.rows[row],
            caption=describe_prediction(
                spec.labels[evaluation.predicted[row]],
                evaluation.confidence[row],
                spec.labels[evaluation.truth[row]],
            ),
            good=bool(evaluation.right[row]),
        )
        for row in rows
    ]
    right = sum(bool(tile.good) for tile in tiles)
    title = f"{len(tiles)} test images: prediction and true class ({right} right)"
    return draw_gallery(folder, "predictions", tiles, title=title)


def draw_mistakes(
    folder: Path, test: Pixels, *, evaluation: Evaluation, mistakes: Sequence[Mistake]
) -> Gallery:
    """Draw the most confident wrong predictions on the test split.

    Args:
        folder: The model folder.
        test: The test split.
        evaluation: Evaluation of the test split.
        mistakes: Its first mistakes; see `Evaluation.rank_mistakes`.
    """
    tiles = [
        Tile(
            image=test.rows[row],
            caption=describe_prediction(mistake.prediction, mistake.confidence, mistake.truth),
            name=mistake.path,
            good=False,
        )
        for row, mistake in zip(evaluation.rank_mistakes(), mistakes, strict=False)
    ]
    title = f"The {len(tiles)} most confident wrong predictions on the test split"
    return draw_gallery(folder, "mistakes", tiles, title=title)


def _describe_label(train: Pixels, row: int, labels: Sequence[str]) -> str:
    """Return the class of a training image, or of several the two with the largest shares."""
    targets = train.targets
    if targets is None or np.count_nonzero(targets[row]) < 2:
        return labels[int(train.truth[row])]
    shares = targets[row] / targets[row].sum()
    return "\n".join(f"{labels[k]} {shares[k]:.0%}" for k in np.argsort(-shares)[:2])


def describe_prediction(prediction: str, confidence: float, truth: str) -> str:
    """Return a prediction, its confidence and the true class in two lines."""
    return f"{prediction} {confidence:.0%}\ntruth: {truth}"


def draw_gallery(folder: Path, name: str, tiles: Sequence[Tile], *, title: str) -> Gallery:
    """Write tiles as a contact sheet and return them with it."""
    path = f"{PLOTS}/{name}.png"
    write_contact_sheet(tiles, folder / path, columns=_COLUMNS, title=title)
    return Gallery(tiles, Plot(path, title, shows_photos=True))


def _order_in_turn(truth: NDArray[np.int64], classes: int, seed: int) -> list[int]:
    """Return shuffled row numbers, one of each class in turn as long as they last."""
    order = np.random.default_rng(seed).permutation(len(truth))
    rank = np.zeros(len(truth), np.int64)
    for label in range(classes):
        of_class = order[truth[order] == label]
        rank[of_class] = np.arange(len(of_class))
    return sorted(range(len(truth)), key=lambda row: (rank[row], truth[row]))
