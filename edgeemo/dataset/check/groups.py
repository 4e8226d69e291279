"""Groups of images that are copies or near-duplicates of each other."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.dataset.ingest.judge import UsableImage


@dataclass(frozen=True, kw_only=True)
class DuplicateGroup:
    """Images that are alike.

    Attributes:
        paths: The images, sorted.
        labels: The classes that they lie in, sorted.
        splits: The splits that the folder brings them in, sorted; empty if it brings none.
        identical: Whether all of them are the same bytes.
    """

    paths: tuple[str, ...]
    labels: tuple[str, ...]
    splits: tuple[str, ...]
    identical: bool

    @property
    def across_classes(self) -> bool:
        """Whether it straddles classes."""
        return len(self.labels) > 1

    @property
    def across_splits(self) -> bool:
        """Whether it straddles splits that the folder brings."""
        return len(self.splits) > 1


def find_near_duplicate_groups(
    images: Sequence[UsableImage], groups: Sequence[int]
) -> tuple[DuplicateGroup, ...]:
    """The groups of two or more: those across classes first, then across splits, then the largest.

    Args:
        images: Usable images.
        groups: For each the number that it shares with those that are alike.
    """
    members = defaultdict(list)
    for image, number in zip(images, groups, strict=True):
        members[number].append(image)
    found = [_group(alike) for alike in members.values() if len(alike) > 1]
    return tuple(sorted(found, key=_turn))


def find_identical_groups(images: Sequence[UsableImage]) -> tuple[DuplicateGroup, ...]:
    """Return groups of identical files, in the order of `find_near_duplicate_groups`."""
    numbers: dict[str, int] = {}
    return find_near_duplicate_groups(
        images, [numbers.setdefault(image.sha256, len(numbers)) for image in images]
    )


def _group(alike: Sequence[UsableImage]) -> DuplicateGroup:
    return DuplicateGroup(
        paths=tuple(sorted(image.path for image in alike)),
        labels=tuple(sorted({image.label for image in alike})),
        splits=tuple(sorted({image.split for image in alike if image.split})),
        identical=len({image.sha256 for image in alike}) == 1,
    )


def _turn(group: DuplicateGroup) -> tuple[bool, bool, int, str]:
    return not group.across_classes, not group.across_splits, -len(group.paths), group.paths[0]
