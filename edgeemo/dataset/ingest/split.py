"""Assignment of images to splits: stratified, seeded, near-duplicates in one split."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgeemo.model.tables import Split

_FIRST_SERVED: tuple[Split, ...] = ("train", "test", "validation")
"""Order in which splits get images if there are fewer images than splits."""


@dataclass(frozen=True)
class SplitItem:
    """An image to assign to a split.

    Attributes:
        key: Identifier that does not depend on the file's name: its SHA-256.
        label: Class of the image.
        group: Number of the group of images that belong into one split.
    """

    key: str
    label: str
    group: int


def assign_splits(
    items: Sequence[SplitItem], *, ratios: Mapping[Split, float], seed: int
) -> list[Split]:
    """Assign each image to a split.

    Whole groups are assigned, the largest first and those of one size in a random order, each to
    the split with the most images of its class missing. So large groups tend to be in train, and
    the test images mostly have no near-duplicate. The size of each class in each split differs
    from the ratios by its largest group at most; a class with enough images has one in every split.

    Args:
        items: The images; their order has no effect.
        ratios: Share of each split; they add up to 1.
        seed: Seed of the order of groups of one size.

    Returns:
        The split of each item, in the same order.
    """
    groups = defaultdict(list)
    for item in items:
        groups[item.group].append(item)
    table = _MissingCounts.for_items(items, ratios)
    assigned = {}
    for group in sorted(groups.values(), key=lambda members: _dealing_order(members, seed)):
        counts = Counter(item.label for item in group)
        assigned[group[0].group] = table.place(counts)
    return [assigned[item.group] for item in items]


def _dealing_order(members: Sequence[SplitItem], seed: int) -> tuple[int, str]:
    """Return a sort key: by size, then at random, whatever the names and numbers are."""
    lowest = min(item.key for item in members)
    return -len(members), hashlib.sha256(f"{seed}:{lowest}".encode()).hexdigest()


class _MissingCounts:
    """Number of images of each class that each split still needs."""

    def __init__(self, targets: dict[str, dict[Split, int]], groups_left: Counter[str]) -> None:
        self._missing = targets
        self._empty = {
            label: [split for split in _FIRST_SERVED if split in missing]
            for label, missing in targets.items()
        }
        self._groups_left = groups_left

    @classmethod
    def for_items(cls, items: Sequence[SplitItem], ratios: Mapping[Split, float]) -> _MissingCounts:
        sizes = Counter(item.label for item in items)
        groups_left = Counter(label for label, _ in {(item.label, item.group) for item in items})
        return cls(
            {label: _target_counts(size, ratios) for label, size in sizes.items()}, groups_left
        )

    def place(self, counts: Mapping[str, int]) -> Split:
        """Choose the split of a group with these numbers of images per class, and count it."""
        split = self._find_empty_split(counts) or self._find_neediest_split(counts)
        for label, count in counts.items():
            self._missing[label][split] -= count
            self._groups_left[label] -= 1
            if split in self._empty[label]:
                self._empty[label].remove(split)
        return split

    def _find_empty_split(self, counts: Mapping[str, int]) -> Split | None:
        """Return a split that would remain without a class if it did not get this group."""
        for label in sorted(counts):
            empty = self._empty[label]
            if empty and self._groups_left[label] <= len(empty):
                return empty[0]
        return None

    def _find_neediest_split(self, counts: Mapping[str, int]) -> Split:
        def count_missing(split: Split) -> int:
            return sum(count * self._missing[label][split] for label, count in counts.items())

        splits = next(iter(self._missing.values()))
        return max(splits, key=count_missing)


def _target_counts(size: int, ratios: Mapping[Split, float]) -> dict[Split, int]:
    """Return the whole numbers nearest to the ratios that add up to `size` (largest remainder)."""
    exact = {split: ratio * size for split, ratio in ratios.items()}
    targets = {split: int(share) for split, share in exact.items()}
    by_remainder = sorted(exact, key=lambda split: targets[split] - exact[split])
    for split in by_remainder[: size - sum(targets.values())]:
        targets[split] += 1
    return targets
