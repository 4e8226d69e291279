"""Near-duplicates among the images of a check, which are compared once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgeemo.dataset.ingest.near_duplicates import (
    NEAR_DUPLICATE_CORRELATION,
    group_similar,
    number_by_first,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.dataset.check.collected import CollectedFiles
    from edgeemo.dataset.ingest.examine import UsableImage
    from edgeemo.dataset.ingest.near_hashes import Indices


class SimilarImages:
    """The groups of copies and near-duplicates.

    Args:
        collected: The images.

    Attributes:
        numbers: Shape (N,): the number of each image's group.
    """

    def __init__(self, collected: CollectedFiles) -> None:
        self._collected = collected
        first_of: dict[str, int] = {}
        for row, image in enumerate(collected.images):
            first_of.setdefault(image.sha256, row)
        self._first_of = first_of
        rows = np.fromiter(first_of.values(), np.int64, len(first_of))
        groups = self._compare(rows, NEAR_DUPLICATE_CORRELATION)
        self._sizes = np.bincount(groups)
        number_of = np.empty(len(collected.images), np.int64)
        number_of[rows] = groups
        self.numbers = number_of[self._list_firsts(collected.images)]

    def regroup(
        self, images: Sequence[UsableImage], *, min_correlation: float = NEAR_DUPLICATE_CORRELATION
    ) -> Sequence[int]:
        """Return for each of some images, no two of which are copies, the number of its group.

        Near-duplicates are joined directly or through others. So a group of which all images are
        there is a group among them, too; the others are compared again.
        """
        rows = self._list_firsts(images)
        if min_correlation != NEAR_DUPLICATE_CORRELATION:
            again: list[int] = self._compare(rows, min_correlation).tolist()
            return again
        numbers = self.numbers[rows]
        is_partial = (np.bincount(numbers, minlength=len(self._sizes)) < self._sizes)[numbers]
        numbers[is_partial] = len(self._sizes) + self._compare(rows[is_partial], min_correlation)
        groups: list[int] = number_by_first(numbers).tolist()
        return groups

    def _list_firsts(self, images: Sequence[UsableImage]) -> Indices:
        """Return the row of the first copy of each image."""
        return np.fromiter((self._first_of[one.sha256] for one in images), np.int64, len(images))

    def _compare(self, rows: Indices, min_correlation: float) -> Indices:
        hashes, thumbnails = self._collected.hashes, self._collected.thumbnails
        if not np.array_equal(rows, np.arange(len(hashes))):  # no copy of all
            hashes, thumbnails = hashes[rows], thumbnails[rows]
        return group_similar(hashes, thumbnails, min_correlation=min_correlation)
