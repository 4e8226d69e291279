"""Near-duplicates: images whose perceptual hashes differ in few bits and whose thumbnails match.

Of thousands of images with the same hash each is compared with the first of them, and with others
only if that fails.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.dataset.ingest.near_hashes import find_near_hashes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from edgeemo.dataset.ingest.near_hashes import Indices, Pairs


NEAR_DUPLICATE_CORRELATION = 0.92
"""Smallest correlation of the thumbnails of near-duplicates. All but one or two pairs above it on
FER2013 show one photograph, cropped, compressed or marked differently; those below do not."""

SAME_IMAGE_CORRELATION = 0.995
"""Smallest correlation of the thumbnails of copies of one image. Frames of a film in which a face
changes its expression reach 0.993 (CK+); copies of web images are above."""

_PAIRS = 32_768  # pairs of images listed at once
_COMPARED = 4096  # pairs compared at once: twice 4 MB of thumbnails


def group_similar(
    hashes: NDArray[np.uint8],
    thumbnails: NDArray[np.uint8],
    *,
    min_correlation: float = NEAR_DUPLICATE_CORRELATION,
) -> Indices:
    """Group near-duplicates, directly or through others.

    Args:
        hashes: Shape (N, 8), uint8: 64 bits per image.
        thumbnails: Shape (N, P), uint8: grey values 0 to 255.
        min_correlation: Smallest correlation of the thumbnails of two images within
            `HAMMING_RADIUS` that are near-duplicates.

    Returns:
        Shape (N,), int64: the number of each image's group; the groups are numbered from 0 in the
        order of their first images.
    """
    buckets = _Buckets.from_hashes(hashes)
    groups = _Groups(thumbnails, min_correlation=min_correlation)
    groups.join_similar(*buckets.pair_with_first())
    united, firsts = buckets.find_united(groups), buckets.firsts
    for left, right in find_near_hashes(buckets.distinct):
        groups.join_similar(firsts[left], firsts[right])
        together = groups.are_together(firsts[left], firsts[right])
        undecided = ~(together & united[left] & united[right])
        for first, second in buckets.pair_images(left[undecided], right[undecided]):
            groups.join_similar(first, second)
    return groups.numbers


def number_by_first(groups: Indices) -> Indices:
    """Return groups numbered from 0 in the order of their first images.

    Args:
        groups: Shape (N,): any number of each image's group.
    """
    _, first, group = np.unique(groups, return_index=True, return_inverse=True)
    number = np.empty_like(first)
    number[np.argsort(first)] = np.arange(len(first))
    return np.asarray(number[group], np.int64)


def correlate(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return Pearson's correlation of thumbnails, row by row.

    It ignores brightness and contrast.

    Args:
        first: Shape (M, P), uint8.
        second: Shape (M, P), uint8.

    Returns:
        Shape (M,), -1 to 1; about 0 for a thumbnail that varies by less than about one level.
    """
    product: NDArray[np.float32] = np.einsum("mp,mp->m", _standardise(first), _standardise(second))
    return product


def _standardise(thumbnails: NDArray[np.uint8]) -> NDArray[np.float32]:
    values = thumbnails.astype(np.float32)
    values -= values.mean(axis=1, keepdims=True)
    length = np.sqrt(np.einsum("mp,mp->m", values, values))
    values /= np.maximum(length, np.float32(np.sqrt(values.shape[1])))[:, None]
    return values


class _Groups:
    """Groups of images, joined at their near-duplicates.

    Attributes:
        numbers: Shape (N,): the number of each image's group.
    """

    def __init__(self, thumbnails: NDArray[np.uint8], *, min_correlation: float) -> None:
        self._thumbnails, self._min_correlation = thumbnails, min_correlation
        self.numbers: Indices = np.arange(len(thumbnails))
        self._count = len(thumbnails)

    def are_together(self, first: Indices, second: Indices) -> NDArray[np.bool_]:
        """Return for each pair of images whether both are in one group."""
        return np.asarray(self.numbers[first] == self.numbers[second])

    def join_similar(self, first: Indices, second: Indices) -> None:
        """Join the groups of each pair of images whose thumbnails correlate."""
        apart = ~self.are_together(first, second)
        first, second = first[apart], second[apart]
        similar = np.zeros(len(first), np.bool_)
        for start in range(0, len(first), _COMPARED):
            portion = slice(start, start + _COMPARED)
            left, right = self._thumbnails[first[portion]], self._thumbnails[second[portion]]
            similar[portion] = correlate(left, right) >= self._min_correlation
        if similar.any():
            self._join(self.numbers[first[similar]], self.numbers[second[similar]])

    def _join(self, left: Indices, right: Indices) -> None:
        """Join pairs of groups; the numbers stay in the order of the groups' first images."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        edges = (np.ones(len(left), np.bool_), (left, right))
        graph = coo_array(edges, shape=(self._count, self._count))
        self._count, component = connected_components(graph, directed=False)
        self.numbers = component[self.numbers].astype(np.int64)


@dataclass(frozen=True)
class _Buckets:
    """Images sorted by hash: bucket u holds those whose hash is `distinct[u]`.

    Attributes:
        distinct: Shape (U,): the different hashes.
        members: Shape (N,): the images, bucket by bucket.
        starts: Shape (U,): the place of each bucket's first image in `members`.
        counts: Shape (U,): the number of images of each bucket.
    """

    distinct: NDArray[np.uint64]
    members: Indices
    starts: Indices
    counts: Indices

    @classmethod
    def from_hashes(cls, hashes: NDArray[np.uint8]) -> _Buckets:
        whole = np.ascontiguousarray(hashes).view(np.uint64).ravel()
        distinct, bucket, counts = np.unique(whole, return_inverse=True, return_counts=True)
        return cls(
            distinct=distinct,
            members=np.argsort(bucket, kind="stable"),
            starts=np.cumsum(counts) - counts,
            counts=counts,
        )

    @property
    def firsts(self) -> Indices:
        """Return the first image of each bucket."""
        return self.members[self.starts]

    def pair_with_first(self) -> Pairs:
        """Return each image with the first one of its bucket."""
        return np.repeat(self.firsts, self.counts), self.members

    def find_united(self, groups: _Groups) -> NDArray[np.bool_]:
        """Return for each bucket whether all its images are in one group."""
        if not len(self.members):
            return np.zeros(0, dtype=np.bool_)
        numbers = groups.numbers[self.members]
        lowest = np.minimum.reduceat(numbers, self.starts)
        return np.asarray(lowest == np.maximum.reduceat(numbers, self.starts))

    def pair_images(self, left: Indices, right: Indices) -> Iterator[Pairs]:
        """Yield the pairs of images, none with itself, of pairs of buckets (u, v), u <= v.

        Each pair of buckets stands for counts[u] x counts[v] pairs of images. They are numbered
        consecutively and cut into portions of one size, however many one pair of buckets has.
        """
        sizes = self.counts[left] * self.counts[right]
        ends = np.cumsum(sizes)
        total = int(sizes.sum())
        for start in range(0, total, _PAIRS):
            number = np.arange(start, min(start + _PAIRS, total))
            pair = np.searchsorted(ends, number, side="right")
            within, width = number - (ends - sizes)[pair], self.counts[right[pair]]
            first = self.starts[left[pair]] + within // width
            second = self.starts[right[pair]] + within % width
            once = first < second
            yield self.members[first[once]], self.members[second[once]]
