"""Hashes that differ in few bits, found by sorting.

The search is exact. Two hashes of 64 bits that differ in at most 4 are equal in at least 2 of any 6
parts (pigeonhole), so for each of the 15 pairs of parts the hashes are sorted by the 21 or 22 bits
of the two, and those that are equal there are compared. That takes 2 s and 60 MB for a million
hashes.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

Indices: TypeAlias = "NDArray[np.int64]"
Pairs: TypeAlias = "tuple[Indices, Indices]"

HASH_BITS = 64
HAMMING_RADIUS = 4
"""Largest number of bits in which the hashes of near-duplicates differ."""

_PARTS, _EQUAL_PARTS = 6, 2
_MANY = 2**18  # pairs yielded at once


def find_near_hashes(distinct: NDArray[np.uint64]) -> Iterator[Pairs]:
    """Yield pairs (u, v), u <= v, of hashes within the radius, each hash with itself among them.

    Args:
        distinct: Shape (U,): different hashes.
    """
    everyone = np.arange(len(distinct))
    yield everyone, everyone
    masks: list[np.uint64] = []
    for pair in combinations(range(_PARTS), _EQUAL_PARTS):
        mask = np.bitwise_or.reduce([_make_mask(part) for part in pair])
        for left, right in _gather(find_near_in_parts(distinct, mask)):
            different = distinct[left] ^ distinct[right]
            is_new = np.ones(len(left), np.bool_)
            for earlier in masks:
                is_new &= (different & earlier) != 0
            yield np.minimum(left, right)[is_new], np.maximum(left, right)[is_new]
        masks.append(mask)


def _make_mask(part: int) -> np.uint64:
    """Return the bits of a part."""
    low, high = part * HASH_BITS // _PARTS, (part + 1) * HASH_BITS // _PARTS
    return np.uint64((1 << high) - (1 << low))


def find_near_in_parts(distinct: NDArray[np.uint64], mask: np.uint64) -> Iterator[Pairs]:
    """Yield the pairs within the radius of hashes that are equal in some bits.

    They are sorted by these bits, and each is compared with the next, the next but one, and so on.

    Args:
        distinct: Shape (U,): different hashes.
        mask: The bits.
    """
    order = np.argsort(distinct & mask)
    hashes = distinct[order]
    keys = hashes & mask
    place, distance = np.arange(len(keys)), 1
    while len(place):
        place = place[: np.searchsorted(place, len(keys) - distance)]
        place = place[keys[place] == keys[place + distance]]
        bits = np.bitwise_count(hashes[place] ^ hashes[place + distance])
        near = place[bits <= HAMMING_RADIUS]
        yield order[near], order[near + distance]
        distance += 1


def _gather(found: Iterator[Pairs]) -> Iterator[Pairs]:
    """Yield pairs together, many at a time: to join them costs time for every image."""
    waiting: list[Indices] = []
    count = 0
    for pairs in found:
        if len(pairs[0]):
            waiting.append(np.stack(pairs))
            count += len(pairs[0])
        if count >= _MANY:
            left, right = np.concatenate(waiting, axis=1)
            yield left, right
            waiting, count = [], 0
    if waiting:
        left, right = np.concatenate(waiting, axis=1)
        yield left, right
