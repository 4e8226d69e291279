"""From the outcomes of images to figures. numpy only."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.evaluate.report import MOST_MISTAKES, MOST_WITHHELD, Quality, ShownImage
from edgeemo.metrics import (
    CalibrationError,
    ClassMetrics,
    Interval,
    ReliabilityBin,
    bin_by_confidence,
    measure_calibration_error,
    measure_classification,
    wilson_interval,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from edgeemo.evaluate.outcome import Outcome
    from edgeemo.metrics import ClassificationReport


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Figures of an evaluation; see `edgeemo.evaluate.report.Evaluation`."""

    overall: Quality
    guesses: Interval
    balanced_accuracy: Interval
    per_class: Mapping[str, ClassMetrics]
    auc: Interval | None
    calibration: CalibrationError | None
    reliability: tuple[ReliabilityBin, ...]


def measure_quality(outcomes: Iterable[Outcome]) -> Quality:
    """Return coverage and accuracy on readable images of known classes."""
    given = [(each.has_label, each.is_right) for each in outcomes]
    n, labelled = len(given), sum(has_label for has_label, _ in given)
    right = sum(is_right for _, is_right in given)
    return Quality(
        n=n,
        coverage=wilson_interval(labelled, n),
        accuracy=wilson_interval(right, labelled),
        right_of_all=wilson_interval(right, n),
    )


def measure_figures(outcomes: Sequence[Outcome], labels: Sequence[str], *, seed: int) -> Figures:
    """Measure readable images of known classes.

    Args:
        outcomes: Their outcomes.
        labels: The classes of the model.
        seed: Seed of the bootstrap of the mean over the classes.
    """
    scored = [each for each in outcomes if each.scores]
    guessed = _classify(scored, labels, seed)
    given = _classify([each for each in scored if each.has_label], labels, seed)
    confidence = [each.scores[labels.index(each.guess)] for each in scored]
    right = [each.guess == each.image.label for each in scored]
    return Figures(
        overall=measure_quality(outcomes),
        guesses=guessed.accuracy,
        balanced_accuracy=given.macro.recall,
        per_class=given.per_class,
        auc=guessed.auc,
        calibration=measure_calibration_error(confidence, right) if scored else None,
        reliability=bin_by_confidence(confidence, right),
    )


def count_predictions(
    outcomes: Iterable[Outcome], rows: Iterable[str], columns: Sequence[str]
) -> dict[str, dict[str, int]]:
    """Count the images of each class folder's label, or of the folder, by prediction.

    Args:
        outcomes: Readable images.
        rows: Labels, or folders that are none.
        columns: The predictions.
    """
    found = Counter((each.image.label or each.image.folder, each.predicted) for each in outcomes)
    return {row: {column: found[row, column] for column in columns} for row in rows}


def list_predictions(outcomes: Iterable[Outcome], labels: Sequence[str]) -> list[str]:
    """Return the labels, and whatever else is predicted, the most frequent first."""
    others = Counter(each.predicted for each in outcomes if each.predicted not in labels)
    return [*labels, *(name for name, _ in others.most_common())]


def rank_mistakes(outcomes: Iterable[Outcome]) -> list[ShownImage]:
    """Return the most confident wrong predictions, at most `MOST_MISTAKES`."""
    wrong = [each for each in outcomes if each.has_label and not each.is_right]
    wrong.sort(key=lambda each: (-each.score, each.image.path))
    return [_show(each) for each in wrong[:MOST_MISTAKES]]


def sample_withheld(outcomes: Iterable[Outcome]) -> list[ShownImage]:
    """Return images without a predicted label, evenly from all of them."""
    found = [each for each in outcomes if not each.has_label]
    step = max(1, len(found) // MOST_WITHHELD)
    return [_show(each) for each in found[::step][:MOST_WITHHELD]]


def _show(each: Outcome) -> ShownImage:
    return ShownImage(
        path=each.image.path,
        truth=str(each.image.label),
        prediction=each.predicted,
        confidence=each.score,
        box=each.box,
    )


def _classify(
    outcomes: Sequence[Outcome], labels: Sequence[str], seed: int
) -> ClassificationReport:
    place = {label: index for index, label in enumerate(labels)}
    return measure_classification(
        np.array([place[str(each.image.label)] for each in outcomes], np.int64),
        np.array([place[each.guess] for each in outcomes], np.int64),
        np.array([each.scores for each in outcomes], np.float64).reshape(-1, len(labels)),
        labels=labels,
        seed=seed,
    )
