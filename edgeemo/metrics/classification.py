"""The report on a classifier: accuracy, precision, recall, F1, AUC, each with its interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.metrics.intervals import Interval, wilson
from edgeemo.metrics.ranking import auc_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

_RESAMPLES = 2000
_PSEUDO_COUNTS = 4.0


@dataclass(frozen=True, kw_only=True)
class Averages:
    """Precision, recall and F1, of one class or averaged over classes.

    Attributes:
        precision: Share of the answers for the class that are right.
        recall: Share of the class's images that are found.
        f1: Harmonic mean of the two.
    """

    precision: Interval
    recall: Interval
    f1: Interval


@dataclass(frozen=True, kw_only=True)
class ClassReport(Averages):
    """One class.

    Attributes:
        support: How many images truly are of the class.
    """

    support: int


@dataclass(frozen=True, kw_only=True)
class Classification:
    """How well a classifier did.

    Attributes:
        accuracy: Share of the images answered rightly.
        per_class: One report per label, in the labels' order.
        macro: Mean over the classes that have images.
        auc: Area under the ROC curve, or None where it is undefined (one class has no image).
        confusion: K rows (truth) of K counts (answers).
        n: Number of images.
    """

    accuracy: Interval
    per_class: dict[str, ClassReport]
    macro: Averages
    auc: Interval | None
    confusion: list[list[int]]
    n: int


def confusion_matrix(truth: ArrayLike, predicted: ArrayLike, *, classes: int) -> NDArray[np.int64]:
    """Count the answers.

    Args:
        truth: (N,) class indices.
        predicted: (N,) class indices.
        classes: K.

    Returns:
        (K, K) int64: rows are the truth, columns the answers.

    Raises:
        ValueError: If the lengths differ or an index is not within 0 to K - 1.
    """
    rows, columns = np.asarray(truth, np.int64), np.asarray(predicted, np.int64)
    if rows.shape != columns.shape or rows.ndim != 1:
        raise ValueError(f"{rows.shape} true classes, {columns.shape} answers")
    if (
        rows.size
        and not 0 <= min(rows.min(), columns.min()) <= max(rows.max(), columns.max()) < classes
    ):
        raise ValueError(f"class indices must be 0 to {classes - 1}")
    counts = np.bincount(rows * classes + columns, minlength=classes * classes)
    return counts.reshape(classes, classes).astype(np.int64)


def classification_report(
    truth: ArrayLike,
    predicted: ArrayLike,
    scores: ArrayLike,
    *,
    labels: Sequence[str],
    seed: int = 0,
) -> Classification:
    """Everything there is to say about a classifier's answers.

    Intervals: Wilson's for accuracy, precision and recall (see `wilson`; a share of nothing is 0
    with the interval [0, 1]); Wilson's for F1, by way of tp / (tp + fp + fn); a seeded bootstrap of
    the confusion matrix for the averages; DeLong's for the AUC (see `auc_interval`). With more than
    two labels the AUC is the mean of one-against-the-rest, and so are its ends, which errs on the
    wide side.

    Args:
        truth: (N,) class indices.
        predicted: (N,) class indices, as the model's threshold decided.
        scores: (N, K) probabilities.
        labels: K names.
        seed: Seed of the bootstrap.

    Raises:
        ValueError: If the shapes do not fit each other.
    """
    matrix = confusion_matrix(truth, predicted, classes=len(labels))
    probabilities = np.asarray(scores, np.float64).reshape(-1, len(labels))
    if len(probabilities) != matrix.sum():
        raise ValueError(f"{len(probabilities)} rows of scores for {matrix.sum()} images")
    return Classification(
        accuracy=wilson(int(matrix.trace()), int(matrix.sum())),
        per_class={label: _class_report(matrix, k) for k, label in enumerate(labels)},
        macro=_macro(matrix, seed),
        auc=_mean_auc(np.asarray(truth), probabilities),
        confusion=matrix.tolist(),
        n=int(matrix.sum()),
    )


def _class_report(matrix: NDArray[np.int64], k: int) -> ClassReport:
    hits, answered, support = int(matrix[k, k]), int(matrix[:, k].sum()), int(matrix[k].sum())
    return ClassReport(
        precision=wilson(hits, answered),
        recall=wilson(hits, support),
        f1=_f1(hits, answered + support - hits),
        support=support,
    )


def _f1(hits: int, involved: int) -> Interval:
    """F1 = 2 J / (1 + J), where J = tp / (tp + fp + fn) is a proportion with a Wilson interval.

    The "Wilson indirect" interval of K. F. Y. Lam, V. Gopal and J. Qian, "Confidence intervals for
    the F1 score: a comparison of four methods", arXiv:2309.14621 (2023).
    """
    j = wilson(hits, involved)
    value, low, high = (2 * x / (1 + x) for x in (j.value, j.low, j.high))
    return Interval(value=value, low=low, high=high, n=involved)


def _macro(matrix: NDArray[np.int64], seed: int) -> Averages:
    """Averages over classes, with percentile intervals of a bootstrap of the confusion matrix.

    The matrices are drawn from the counts plus four pseudo-counts spread over the cells (after
    A. Agresti and B. A. Coull, The American Statistician 52 (1998), 119-126): without them a
    faultless test of ten images would claim an interval of no width.
    """
    n, present = int(matrix.sum()), matrix.sum(axis=1) > 0
    if n == 0:
        nothing = wilson(0, 0)
        return Averages(precision=nothing, recall=nothing, f1=nothing)
    smoothed = matrix.ravel() + _PSEUDO_COUNTS / matrix.size
    draws = np.random.default_rng(seed).multinomial(n, smoothed / smoothed.sum(), _RESAMPLES)
    values = _macro_values(matrix[None], present)[:, 0]
    lows, highs = np.percentile(
        _macro_values(draws.reshape(-1, *matrix.shape), present), [2.5, 97.5], axis=1
    )
    intervals = [
        Interval(value=float(v), low=float(min(low, v)), high=float(max(high, v)), n=n)
        for v, low, high in zip(values, lows, highs, strict=True)
    ]
    return Averages(precision=intervals[0], recall=intervals[1], f1=intervals[2])


def _macro_values(matrices: NDArray[np.int64], present: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Mean precision, recall and F1 of (B, K, K) matrices over the present classes: (3, B)."""
    hits = np.diagonal(matrices, axis1=1, axis2=2)[:, present].astype(np.float64)
    answered, support = matrices.sum(axis=1)[:, present], matrices.sum(axis=2)[:, present]
    shares = [
        hits / np.maximum(answered, 1),
        hits / np.maximum(support, 1),
        2 * hits / np.maximum(answered + support, 1),
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
