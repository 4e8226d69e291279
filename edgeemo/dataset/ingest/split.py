"""Share out images to splits: by class, by seed, and never a group of near-duplicates apart."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgeemo.model.tables import Split

_FIRST_SERVED: tuple[Split, ...] = ("train", "test", "validation")
"""Whose turn it is where there are fewer images than splits."""


@dataclass(frozen=True)
class SplitItem:
    """One image to be put into a split.

    Attributes:
        key: What tells it from all others whatever it is called: its SHA-256.
        label: Its class.
        group: Shared with the images that must stay with it.
    """

    key: str
    label: str
    group: int


def assign_splits(
    items: Sequence[SplitItem], *, ratios: Mapping[Split, float], seed: int
) -> list[Split]:
    """Put each image into a split.

    Groups are dealt out whole, the large ones first and otherwise in a random order, each to the
    split that lacks most of its class. So large groups tend into train, and what is tested on is
    mostly images that have no near-duplicate. Each class comes out within its largest group of
    what the ratios ask for; one that has the images gets one into every split.

    Args:
        items: What to share out; their order does not matter.
        ratios: Share of each split; they add up to 1.
        seed: Decides the order in which groups of one size are dealt.

    Returns:
        The split of each item, in the order given.
    """
    groups = defaultdict(list)
    for item in items:
        groups[item.group].append(item)
    table = _MissingCounts.for_items(items, ratios)
    dealt = {}
    for group in sorted(groups.values(), key=lambda members: _dealing_order(members, seed)):
        counts = Counter(item.label for item in group)
        dealt[group[0].group] = table.place(counts)
    return [dealt[item.group] for item in items]


def _dealing_order(members: Sequence[SplitItem], seed: int) -> tuple[int, str]:
    """Sorts by size and then at random, by what is in a group, not by what it is called."""
    lowest = min(item.key for item in members)
    return -len(members), hashlib.sha256(f"{seed}:{lowest}".encode()).hexdigest()


class _MissingCounts:
    """How many images of each class each split still lacks."""

    def __init__(self, wanted: dict[str, dict[Split, int]], groups_left: Counter[str]) -> None:
        self._lacks = wanted
        self._empty = {
            label: [split for split in _FIRST_SERVED if split in lacks]
            for label, lacks in wanted.items()
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
        """Choose the split for a group of so many images of each class, and note it."""
        split = self._owed(counts) or self._neediest(counts)
        for label, count in counts.items():
            self._lacks[label][split] -= count
            self._groups_left[label] -= 1
            if split in self._empty[label]:
                self._empty[label].remove(split)
        return split

    def _owed(self, counts: Mapping[str, int]) -> Split | None:
        """A split that stays without a class unless it gets this group."""
        for label in sorted(counts):
            empty = self._empty[label]
            if empty and self._groups_left[label] <= len(empty):
                return empty[0]
        return None

    def _neediest(self, counts: Mapping[str, int]) -> Split:
        def lack(split: Split) -> int:
            return sum(count * self._lacks[label][split] for label, count in counts.items())

        splits = next(iter(self._lacks.values()))
        return max(splits, key=lack)


def _target_counts(size: int, ratios: Mapping[Split, float]) -> dict[Split, int]:
    """Whole numbers nearest to the ratios that add up to `size` (largest remainder)."""
    exact = {split: ratio * size for split, ratio in ratios.items()}
    wanted = {split: int(share) for split, share in exact.items()}
    by_remainder = sorted(exact, key=lambda split: wanted[split] - exact[split])
    for split in by_remainder[: size - sum(wanted.values())]:
        wanted[split] += 1
    return wanted
