"""Cross-validated linear discriminant from sums over the folds: one pass over the features.

It needs a tenth of the memory of scikit-learn's and is faster (decision 9).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.metrics import softmax

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

FOLDS = 5

_ROWS = 4096  # images worked on at once


def predict_out_of_fold(
    features: NDArray[np.uint8],
    truth: NDArray[np.int64],
    groups: NDArray[np.int64],
    *,
    classes: int,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Return the class probabilities of each image from a classifier fitted to other images.

    Fisher's linear discriminant for Gaussian classes of one covariance, which is shrunk towards a
    multiple of the identity as O. Ledoit and M. Wolf estimate it ("A well-conditioned estimator for
    large-dimensional covariance matrices", Journal of Multivariate Analysis 88 (2004), 365-411).
    It needs sums over images only: those of the other folds are the total minus the own fold.

    Args:
        features: Shape (N, D), uint8.
        truth: Shape (N,), index of the class of each image.
        groups: Shape (N,), number of the group of each image; a group is in one fold.
        classes: Number of classes K.
        seed: Seed of the folds.

    Returns:
        Shape (N, K), probabilities.
    """
    fold = _assign_folds(groups, seed)
    centre = features.mean(axis=0, dtype=np.float64).astype(np.float32)
    parts = [_Sums.zero(classes, features.shape[1]) for _ in range(FOLDS)]
    for rows in _cut_rows(len(features)):
        values = features[rows].astype(np.float32) - centre
        for number in range(FOLDS):
            inside = fold[rows] == number
            parts[number].add(values[inside], truth[rows][inside])
    whole = _Sums.total(parts)
    shrinkage = whole.estimate_shrinkage()
    scores = np.empty((len(features), classes))
    for number in range(FOLDS):
        weights, bias = whole.without(parts[number]).fit(shrinkage)
        for rows in _cut_rows(len(features)):
            inside = np.flatnonzero(fold[rows] == number) + rows.start
            values = features[inside].astype(np.float32) - centre
            scores[inside] = softmax(values @ weights + bias)
    return scores


@dataclass
class _Sums:
    """Sums over images x of D values in K classes.

    Attributes:
        counts: Shape (K,): number of images per class.
        sums: Shape (K, D): sum of x per class.
        products: Shape (D, D): sum of x x^T.
        fourth: Sum of |x|^4.
    """

    counts: NDArray[np.float64]
    sums: NDArray[np.float64]
    products: NDArray[np.float64]
    fourth: float

    @classmethod
    def zero(cls, classes: int, size: int) -> _Sums:
        return cls(np.zeros(classes), np.zeros((classes, size)), np.zeros((size, size)), 0.0)

    @classmethod
    def total(cls, parts: list[_Sums]) -> _Sums:
        return cls(
            sum((part.counts for part in parts[1:]), parts[0].counts),
            sum((part.sums for part in parts[1:]), parts[0].sums),
            sum((part.products for part in parts[1:]), parts[0].products),
            sum(part.fourth for part in parts),
        )

    def add(self, values: NDArray[np.float32], truth: NDArray[np.int64]) -> None:
        self.counts += np.bincount(truth, minlength=len(self.counts))
        member = np.eye(len(self.counts), dtype=np.float32)[truth]
        self.sums += member.T @ values
        self.products += values.T @ values
        self.fourth += float((np.einsum("nd,nd->n", values, values, dtype=np.float64) ** 2).sum())

    def without(self, other: _Sums) -> _Sums:
        return _Sums(
            self.counts - other.counts,
            self.sums - other.sums,
            self.products - other.products,
            self.fourth - other.fourth,
        )

    def estimate_shrinkage(self) -> float:
        """Return Ledoit and Wolf's intensity, 0 to 1 (lemmas 3.2 to 3.4), for x of mean 0."""
        count, size = self.counts.sum(), len(self.products)
        covariance = self.products / count
        spread = np.square(covariance).sum()
        distance = spread - np.trace(covariance) ** 2 / size
        error = (self.fourth / count - spread) / count
        return float(min(error / distance, 1.0)) if distance > 0 else 1.0

    def fit(self, shrinkage: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the discriminant: weights of shape (D, K) and bias of shape (K,)."""
        count, size = self.counts.sum(), len(self.products)
        means = self.sums / np.maximum(self.counts, 1)[:, None]
        within = (self.products - (means.T * self.counts) @ means) / count
        level = max(np.trace(within) / size, 1e-6)
        within = (1 - shrinkage) * within + shrinkage * level * np.eye(size)
        weights = np.linalg.solve(within + 1e-6 * level * np.eye(size), means.T)
        shares = np.maximum(self.counts, 1e-3) / count
        bias = np.log(shares) - np.einsum("kd,dk->k", means, weights) / 2
        return weights.astype(np.float32), bias.astype(np.float32)


def _assign_folds(groups: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Return the fold of each image: groups in a random order, fold after fold."""
    _, group = np.unique(groups, return_inverse=True)
    count = int(group.max()) + 1
    folds = np.random.default_rng(seed).permutation(count) % FOLDS
    return np.asarray(folds[group], np.int64)


def _cut_rows(count: int) -> Iterator[slice]:
    for start in range(0, count, _ROWS):
        yield slice(start, min(start + _ROWS, count))
