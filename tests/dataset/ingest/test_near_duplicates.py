from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeemo.dataset.ingest.near_duplicates import (
    NEAR_DUPLICATE_CORRELATION,
    correlate,
    group_similar,
)
from edgeemo.dataset.ingest.near_hashes import HAMMING_RADIUS


def distances(hashes):
    bits = np.unpackbits(hashes, axis=1).astype(int)
    return (bits[:, None] != bits[None, :]).sum(axis=2)


@st.composite
def clustered_hashes(draw):
    """Hashes of which many lie near the limit: a few centres with 0 to 6 bits flipped."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    centres = rng.integers(0, 2, (draw(st.integers(1, 4)), 64))
    count = draw(st.integers(0, 40))
    bits = centres[rng.integers(0, len(centres), count)]
    for row in bits:
        row[rng.choice(64, rng.integers(0, 7), replace=False)] ^= 1
    return np.packbits(bits.astype(np.uint8), axis=1).reshape(count, 8)


@st.composite
def any_hashes(draw):
    values = draw(st.lists(st.integers(0, 2**64 - 1), max_size=30))
    return np.array(values, dtype=np.uint64).view(np.uint8).reshape(-1, 8)


@given(st.one_of(clustered_hashes(), any_hashes()), st.integers(0, 2**32))
def test_groups_are_the_connected_components(hashes, seed):
    rng = np.random.default_rng(seed)
    patterns = rng.integers(0, 256, (2, 256))
    noise = rng.integers(-40, 41, (len(hashes), 256))
    thumbnails = (patterns[rng.integers(0, 2, len(hashes))] + noise).clip(0, 255).astype(np.uint8)
    assert partition(group_similar(hashes, thumbnails)) == partition(brute(hashes, thumbnails))


def brute(hashes, thumbnails):
    count = len(hashes)
    if not count:
        return []
    alike = distances(hashes) <= HAMMING_RADIUS
    for i in range(count):
        alike[i] &= correlate(thumbnails[[i] * count], thumbnails) >= NEAR_DUPLICATE_CORRELATION
    reach = alike | np.eye(count, dtype=bool)
    for _ in range(count):
        reach = reach @ reach
    return reach.argmax(axis=1)


def partition(numbers):
    return {frozenset(np.flatnonzero(numbers == number)) for number in np.unique(numbers)}


def test_a_hash_shared_by_thousands_is_not_compared_pair_by_pair(monkeypatch):
    compared = []

    def counted(first, second):
        compared.append(len(first))
        return correlate(first, second)

    monkeypatch.setattr("edgeemo.dataset.ingest.near_duplicates.correlate", counted)
    rng = np.random.default_rng(0)
    count = 20_000
    hashes = np.zeros((count, 8), np.uint8)
    hashes[count // 2 :, 0] = 1  # two hashes, one bit apart
    image = rng.integers(0, 256, 256)
    thumbnails = (image + rng.integers(-5, 6, (count, 256))).clip(0, 255).astype(np.uint8)
    assert len(np.unique(group_similar(hashes, thumbnails))) == 1
    assert sum(compared) < 4 * count


def test_equal_hashes_of_different_images_stay_apart():
    hashes = np.zeros((300, 8), np.uint8)
    thumbnails = np.random.default_rng(0).integers(0, 256, (300, 256)).astype(np.uint8)
    assert len(np.unique(group_similar(hashes, thumbnails))) == 300


def test_correlation_is_blind_to_brightness_and_contrast():
    first = np.random.default_rng(0).integers(0, 100, (5, 256)).astype(np.uint8)
    assert correlate(first, first * 2 + 40) == pytest.approx(np.ones(5), abs=1e-5)
    assert correlate(first, 255 - first) == pytest.approx(-np.ones(5), abs=1e-5)
    expected = [np.corrcoef(a, b)[0, 1] for a, b in pairwise(first)]
    assert correlate(first[:-1], first[1:]) == pytest.approx(expected, abs=1e-5)


def test_flat_thumbnails_correlate_with_nothing():
    flat = np.full((2, 256), 77, np.uint8)
    flat[1, 0] += 1
    assert correlate(flat, flat).max() < 0.01


def test_no_images():
    nothing = np.zeros((0, 8), np.uint8)
    assert len(group_similar(nothing, np.zeros((0, 256), np.uint8))) == 0
