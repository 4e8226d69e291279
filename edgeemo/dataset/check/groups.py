"""Groups of copies and near-duplicates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.dataset.ingest.duplicates import list_groups

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edgeemo.dataset.ingest.examine import UsableImage


@dataclass(frozen=True, kw_only=True)
class DuplicateGroup:
    """Images that are copies or near-duplicates of each other.

    Attributes:
        paths: The images, sorted.
        labels: Their classes, sorted.
        splits: Their splits in the folder, sorted; empty if it has none.
        identical: Whether all files are identical.
    """

    paths: tuple[str, ...]
    labels: tuple[str, ...]
    splits: tuple[str, ...]
    identical: bool

    @property
    def across_classes(self) -> bool:
        """Return whether the images are in several classes."""
        return len(self.labels) > 1

    @property
    def across_splits(self) -> bool:
        """Return whether the images are in several splits of the folder."""
        return len(self.splits) > 1


def find_near_duplicate_groups(
    images: Sequence[UsableImage], groups: Sequence[int] | NDArray[np.int64]
) -> tuple[DuplicateGroup, ...]:
    """Return the groups of two or more images.

    Those across classes come first, then those across splits, then the largest.

    Args:
        images: Usable images.
        groups: The number of each image's group.
    """
    numbers = np.asarray(groups, np.int64)
    rows = np.flatnonzero((np.bincount(numbers) > 1)[numbers]).tolist() if len(numbers) else []
    members = list_groups([images[row] for row in rows], numbers[rows].tolist())
    return tuple(sorted(map(_make_group, members), key=_sort_key))


def find_identical_groups(images: Sequence[UsableImage]) -> tuple[DuplicateGroup, ...]:
    """Return groups of identical files, in the order of `find_near_duplicate_groups`."""
    numbers: dict[str, int] = {}
    return find_near_duplicate_groups(
        images, [numbers.setdefault(image.sha256, len(numbers)) for image in images]
    )


def _make_group(members: Sequence[UsableImage]) -> DuplicateGroup:
    return DuplicateGroup(
        paths=tuple(sorted(image.path for image in members)),
        labels=tuple(sorted({image.label for image in members})),
        splits=tuple(sorted({image.split for image in members if image.split})),
        identical=len({image.sha256 for image in members}) == 1,
    )


def _sort_key(group: DuplicateGroup) -> tuple[bool, bool, int, str]:
    return not group.across_classes, not group.across_splits, -len(group.paths), group.paths[0]
