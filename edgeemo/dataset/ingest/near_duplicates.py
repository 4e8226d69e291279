"""Find near-duplicates: perceptual hashes that differ in few bits, confirmed on thumbnails.

The search is exact. Two hashes of 64 bits that differ in at most 4 differ in at most 1 within one
of any 3 parts (pigeonhole), so 3 hash tables of 21-bit parts, each looked up with every single bit
flipped, meet every such pair; the bit left over takes part in the distance only. What a look-up
costs does not depend on how many images there are, as long as they differ; where thousands have
one and the same hash, each is compared with the first of them, and with more only if that fails.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from edgeemo.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

Indices: TypeAlias = "NDArray[np.int64]"
Pairs: TypeAlias = "tuple[Indices, Indices]"

HASH_BITS = 64
HAMMING_RADIUS = 4
"""Most bits in which the hashes of near-duplicates differ."""

NEAR_DUPLICATE_CORRELATION = 0.92
"""Least correlation of the thumbnails of near-duplicates. Of the pairs above it on FER2013 all but
one or two are one photograph, cropped, compressed or marked differently; those below are not."""

SAME_IMAGE_CORRELATION = 0.995
"""Least correlation of the thumbnails of one and the same image. Frames of a film in which a face
passes from one expression to another reach 0.993 (CK+); copies of web images are above."""

_PARTS, _PART_BITS, _FLIPS = 3, 21, 1
_QUERIES = 1024  # hashes looked up at once
_PAIRS = 32_768  # pairs compared at once: twice 32 MB of thumbnails


def group_similar(
    hashes: NDArray[np.uint8],
    thumbnails: NDArray[np.uint8],
    *,
    min_correlation: float = NEAR_DUPLICATE_CORRELATION,
) -> Indices:
    """Put images that are alike, directly or through others, into one group.

    Args:
        hashes: Shape (N, 8), uint8: 64 bits an image.
        thumbnails: Shape (N, P), uint8: grey values 0 to 255.
        min_correlation: Smallest correlation of the thumbnails of two images within
            `HAMMING_RADIUS` that are near-duplicates.

    Returns:
        Shape (N,), int64: the same number for the same group.

    Raises:
        MissingExtraError: If the search's library is not installed.
    """
    buckets, groups = _Buckets.of(hashes), _DisjointSets(len(hashes))

    def join(first: Indices, second: Indices) -> None:
        apart = groups.roots(first) != groups.roots(second)
        first, second = first[apart], second[apart]
        alike = correlate(thumbnails[first], thumbnails[second]) >= min_correlation
        groups.join(first[alike], second[alike])

    for first, second in buckets.stars():
        join(first, second)
    united = buckets.united(groups)
    firsts = buckets.firsts
    for left, right in _near_hashes(buckets.distinct):
        join(firsts[left], firsts[right])
        together = groups.roots(firsts[left]) == groups.roots(firsts[right])
        open_ = ~(together & united[left] & united[right])
        for first, second in buckets.images(left[open_], right[open_]):
            join(first, second)
    return groups.roots(np.arange(len(hashes)))


def correlate(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Pearson's correlation of thumbnails, row by row: blind to brightness and contrast.

    Args:
        first: Shape (M, P), uint8.
        second: Shape (M, P), uint8.

    Returns:
        Shape (M,), -1 to 1. A thumbnail that varies by less than about one level correlates with
        nothing.
    """
    product: NDArray[np.float32] = np.einsum("mp,mp->m", _standardise(first), _standardise(second))
    return product


def _standardise(thumbnails: NDArray[np.uint8]) -> NDArray[np.float32]:
    values = thumbnails.astype(np.float32)
    values -= values.mean(axis=1, keepdims=True)
    length = np.sqrt(np.einsum("mp,mp->m", values, values))
    values /= np.maximum(length, np.float32(np.sqrt(values.shape[1])))[:, None]
    return values


def _near_hashes(distinct: NDArray[np.uint8]) -> Iterator[Pairs]:
    """Pairs (u, v), u <= v, of different hashes within the radius, and each hash with itself."""
    index = _import_faiss().IndexBinaryMultiHash(HASH_BITS, _PARTS, _PART_BITS)
    index.nflip = _FLIPS
    index.add(distinct)
    for start in range(0, len(distinct), _QUERIES):
        queries = distinct[start : start + _QUERIES]
        limits, _, found = index.range_search(queries, HAMMING_RADIUS + 1)  # below, not at
        asked = np.repeat(np.arange(len(queries)) + start, np.diff(limits.astype(np.int64)))
        kept = asked <= found
        yield asked[kept], found[kept]


@dataclass(frozen=True)
class _Buckets:
    """Images sorted by hash: bucket u holds those whose hash is `distinct[u]`."""

    distinct: NDArray[np.uint8]
    members: Indices
    starts: Indices
    counts: Indices

    @classmethod
    def of(cls, hashes: NDArray[np.uint8]) -> _Buckets:
        whole = np.ascontiguousarray(hashes).view(np.uint64).ravel()
        distinct, bucket, counts = np.unique(whole, return_inverse=True, return_counts=True)
        return cls(
            distinct=distinct.view(np.uint8).reshape(-1, HASH_BITS // 8),
            members=np.argsort(bucket, kind="stable"),
            starts=np.cumsum(counts) - counts,
            counts=counts,
        )

    @property
    def firsts(self) -> Indices:
        """The first image of each bucket."""
        return self.members[self.starts]

    def stars(self) -> Iterator[Pairs]:
        """The first image of each bucket with each other one of it."""
        firsts = np.repeat(self.firsts, self.counts)
        for start in range(0, len(firsts), _PAIRS):
            portion = slice(start, start + _PAIRS)
            yield firsts[portion], self.members[portion]

    def united(self, groups: _DisjointSets) -> NDArray[np.bool_]:
        """For each bucket whether all its images are in one group."""
        if not len(self.members):
            return np.zeros(0, dtype=np.bool_)
        roots = groups.roots(self.members)
        lowest = np.minimum.reduceat(roots, self.starts)
        return np.asarray(lowest == np.maximum.reduceat(roots, self.starts))

    def images(self, left: Indices, right: Indices) -> Iterator[Pairs]:
        """From pairs of buckets (u, v), u <= v, to pairs of images, none with itself.

        Each stands for counts[u] x counts[v] pairs. All of them are numbered through and cut into
        portions of one size, however many a single one of them is.
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


class _DisjointSets:
    """Union-find over 0 .. count-1 whose look-ups work on whole arrays."""

    def __init__(self, count: int) -> None:
        self._parent = np.arange(count)

    def roots(self, items: Indices) -> Indices:
        found = self._parent[items]
        while True:
            above = self._parent[found]
            if np.array_equal(above, found):
                self._parent[items] = found
                return found
            found = above

    def join(self, first: Indices, second: Indices) -> None:
        for i, j in zip(first.tolist(), second.tolist(), strict=True):
            low, high = sorted((self._root(i), self._root(j)))
            self._parent[high] = low

    def _root(self, item: int) -> int:
        while (above := int(self._parent[item])) != item:
            item = above
        return item


def _import_faiss() -> Any:
    try:
        import faiss
    except ImportError:
        raise MissingExtraError(
            "faiss-cpu", extra="data", purpose="Finding near-duplicates"
        ) from None
    return faiss
