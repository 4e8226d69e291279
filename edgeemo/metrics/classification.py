"""Accuracy, precision, recall, F1 and AUC of a classifier, each with its interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.metrics.intervals import Interval, wilson_interval
from edgeemo.metrics.ranking import auc_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

_RESAMPLES = 2000
_PSEUDO_COUNTS = 4.0


@dataclass(frozen=True, kw_only=True)
class PrecisionRecallF1:
    """Precision, recall and F1 of one class, or averaged over classes.

    Attributes:
        precision: Share of the predictions of the class that are correct.
        recall: Share of the images of the class that are predicted as such.
        f1: Harmonic mean of the two.
    """

    precision: Interval
    recall: Interval
    f1: Interval


@dataclass(frozen=True, kw_only=True)
class ClassMetrics(PrecisionRecallF1):
    """Metrics of one class.

    Attributes:
        support: Number of images of the class.
    """

    support: int


@dataclass(frozen=True, kw_only=True)
class ClassificationReport:
    """Metrics of a classifier.

    Attributes:
        accuracy: Share of the images with a correct prediction.
        per_class: Metrics of each label, in the order of the labels.
        macro: Mean over the classes with images.
        auc: Area under the ROC curve; None if it is undefined (one class has no image).
        confusion: K rows (truth) of K counts (predictions).
        n: Number of images.
    """

    accuracy: Interval
    per_class: dict[str, ClassMetrics]
    macro: PrecisionRecallF1
    auc: Interval | None
    confusion: list[list[int]]
    n: int


def confusion_matrix(truth: ArrayLike, predicted: ArrayLike, *, classes: int) -> NDArray[np.int64]:
    """Count the predictions per true class.

    Args:
        truth: (N,) class indices.
        predicted: (N,) class indices.
        classes: K.

    Returns:
        (K, K) int64: rows are the truth, columns the predictions.

    Raises:
        ValueError: If the lengths differ or an index is not within 0 to K - 1.
    """
    rows, columns = np.asarray(truth, np.int64), np.asarray(predicted, np.int64)
    if rows.shape != columns.shape or rows.ndim != 1:
        raise ValueError(f"{rows.shape} true classes, {columns.shape} predictions")
    if (
        rows.size
        and not 0 <= min(rows.min(), columns.min()) <= max(rows.max(), columns.max()) < classes
    ):
        raise ValueError(f"class indices must be 0 to {classes - 1}")
    counts = np.bincount(rows * classes + columns, minlength=classes * classes)
    return counts.reshape(classes, classes).astype(np.int64)


def measure_classification(
    truth: ArrayLike,
    predicted: ArrayLike,
    scores: ArrayLike,
    *,
    labels: Sequence[str],
    seed: int = 0,
) -> ClassificationReport:
    """Measure a classifier's predictions.

    Intervals: Wilson's for accuracy, precision and recall (see `wilson_interval`; a share of no
    images is 0 with the interval [0, 1]); Wilson's for F1, by way of tp / (tp + fp + fn); a seeded
    bootstrap of the confusion matrix for the averages; DeLong's for the AUC (see `auc_interval`).
    With more than two labels the AUC is the mean of one against the rest, and so are its ends,
    which makes the interval rather too wide.

    Args:
        truth: (N,) class indices.
        predicted: (N,) class indices, as the model's threshold decides.
        scores: (N, K) probabilities.
        labels: K names.
        seed: Seed of the bootstrap.

    Raises:
        ValueError: If the shapes do not match.
    """
    matrix = confusion_matrix(truth, predicted, classes=len(labels))
    probabilities = np.asarray(scores, np.float64).reshape(-1, len(labels))
    if len(probabilities) != matrix.sum():
        raise ValueError(f"{len(probabilities)} rows of scores for {matrix.sum()} images")
    return ClassificationReport(
        accuracy=wilson_interval(int(matrix.trace()), int(matrix.sum())),
        per_class={label: _measure_class(matrix, k) for k, label in enumerate(labels)},
        macro=_average_classes(matrix, seed),
        auc=_mean_auc(np.asarray(truth), probabilities),
        confusion=matrix.tolist(),
        n=int(matrix.sum()),
    )


def _measure_class(matrix: NDArray[np.int64], k: int) -> ClassMetrics:
    hits, predicted, support = int(matrix[k, k]), int(matrix[:, k].sum()), int(matrix[k].sum())
    return ClassMetrics(
        precision=wilson_interval(hits, predicted),
        recall=wilson_interval(hits, support),
        f1=_f1_interval(hits, predicted + support - hits),
        support=support,
    )


def _f1_interval(hits: int, involved: int) -> Interval:
    """Return F1 = 2 J / (1 + J) with its interval.

    J = tp / (tp + fp + fn) is a proportion, which has a Wilson interval.

    The "Wilson indirect" interval of K. F. Y. Lam, V. Gopal and J. Qian, "Confidence intervals for
    the F1 score: a comparison of four methods", arXiv:2309.14621 (2023).
    """
    j = wilson_interval(hits, involved)
    value, low, high = (2 * x / (1 + x) for x in (j.value, j.low, j.high))
    return Interval(value=value, low=low, high=high, n=involved)


def _average_classes(matrix: NDArray[np.int64], seed: int) -> PrecisionRecallF1:
    """Return means over classes, with percentile intervals of a bootstrap of the confusion matrix.

    The matrices are drawn from the counts plus four pseudo-counts spread over the cells (after
    A. Agresti and B. A. Coull, The American Statistician 52 (1998), 119-126): without them
    ten correct predictions out of ten would have an interval of width 0.
    """
    n, present = int(matrix.sum()), matrix.sum(axis=1) > 0
    if n == 0:
        unknown = wilson_interval(0, 0)
        return PrecisionRecallF1(precision=unknown, recall=unknown, f1=unknown)
    smoothed = matrix.ravel() + _PSEUDO_COUNTS / matrix.size
    draws = np.random.default_rng(seed).multinomial(n, smoothed / smoothed.sum(), _RESAMPLES)
    values = _macro_means(matrix[None], present)[:, 0]
    lows, highs = np.percentile(
        _macro_means(draws.reshape(-1, *matrix.shape), present), [2.5, 97.5], axis=1
    )
    intervals = [
        Interval(value=float(v), low=float(min(low, v)), high=float(max(high, v)), n=n)
        for v, low, high in zip(values, lows, highs, strict=True)
    ]
    return PrecisionRecallF1(precision=intervals[0], recall=intervals[1], f1=intervals[2])


def _macro_means(matrices: NDArray[np.int64], present: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return mean precision, recall and F1 of (B, K, K) matrices over present classes: (3, B)."""
    hits = np.diagonal(matrices, axis1=1, axis2=2)[:, present].astype(np.float64)
    predicted, support = matrices.sum(axis=1)[:, present], matrices.sum(axis=2)[:, present]
    shares = [
        hits / np.maximum(predicted, 1),
        hits / np.maximum(support, 1),
        2 * hits / np.maximum(predicted + support, 1),
    ]
    return np.asarray([share.mean(axis=1) for share in shares])


def _mean_auc(truth: NDArray[np.int64], scores: NDArray[np.float64]) -> Interval | None:
    # Two classes: the second's AUC is the first's, so one will do.
    classes = range(scores.shape[1]) if scores.shape[1] > 2 else (1,)
    found = [
        auc_interval(truth == k, scores[:, k])
        for k in classes
        if 0 < (truth == k).sum() < len(truth)
    ]
    if not found:
        return None
    value, low, high = np.mean([[each.value, each.low, each.high] for each in found], axis=0)
    return Interval(value=float(value), low=float(low), high=float(high), n=len(truth))
