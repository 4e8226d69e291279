"""What must not count twice, and what must not leak from one split into another."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.dataset.ingest.judge import THUMBNAIL_SIDE
from edgeemo.dataset.ingest.near_duplicates import ALIKE, HASH_BITS, SAME, group_similar
from edgeemo.model.tables import Rejected

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from edgeemo.dataset.ingest.judge import Picture

_RANK = {"test": 0, "validation": 1, "train": 2, None: 3}
"""Which copy stays: test keeps what it has, then validation."""


@dataclass(frozen=True)
class Cleaned:
    """What is left when nothing counts twice and nothing leaks.

    Attributes:
        pictures: The pictures kept, sorted by path.
        groups: For each picture kept a number that it shares with its near-duplicates.
        rejected: The pictures set aside.
        leaks: How many left one split because another holds the same, by "train/test" and so on.
    """

    pictures: tuple[Picture, ...]
    groups: tuple[int, ...]
    rejected: tuple[Rejected, ...]
    leaks: Mapping[str, int]


def clean(pictures: Iterable[Picture]) -> Cleaned:
    """Set aside what counts twice, carries two labels, or leaks between brought splits.

    Byte-identical pictures count once. The same picture in two classes (byte-identical, or with
    thumbnails that correlate at `SAME` or more) leaves both. Near-duplicates stay, as a group. Of a
    group that straddles brought splits only the test pictures stay, or those of validation if none
    is in test.

    Args:
        pictures: All usable pictures, in any order.
    """
    work = _Work()
    kept = _drop_identical(sorted(pictures, key=lambda picture: picture.path), work)
    kept, groups = _drop_ambiguous(kept, _group(kept), work)
    kept, groups = _drop_leaks(kept, groups, work)
    return Cleaned(tuple(kept), tuple(groups), tuple(work.rejected), dict(work.leaks))


def as_they_are(pictures: Iterable[Picture]) -> Cleaned:
    """Keep every picture, copies and those in two classes included; only the groups are new.

    Args:
        pictures: All usable pictures, in any order. The splits that they were brought in are
            forgotten.
    """
    kept = [replace(picture, split=None) for picture in sorted(pictures, key=lambda one: one.path)]
    return Cleaned(tuple(kept), tuple(group_alike(kept)), (), {})


def group_alike(pictures: Sequence[Picture], *, at_least: float = ALIKE) -> list[int]:
    """For each picture a number that it shares with its copies and near-duplicates.

    Args:
        pictures: Usable pictures, in any order.
        at_least: As for `group_similar`.
    """
    first_of: dict[str, Picture] = {}
    for picture in pictures:
        first_of.setdefault(picture.sha256, picture)
    group_of = dict(zip(first_of, _group([*first_of.values()], at_least=at_least), strict=True))
    return [group_of[picture.sha256] for picture in pictures]


class _Work:
    """What has been set aside so far."""

    def __init__(self) -> None:
        self.rejected: list[Rejected] = []
        self.leaks: Counter[str] = Counter()

    def set_aside(self, picture: Picture, reason: str, detail: str) -> None:
        self.rejected.append(Rejected(path=picture.path, reason=reason, detail=detail))

    def leak(self, picture: Picture, other: Picture, how: str) -> None:
        self.leaks[f"{picture.split}/{other.split}"] += 1
        self.set_aside(picture, "leak", f"{how} {other.path}, which is in {other.split}")


def _drop_identical(pictures: Sequence[Picture], work: _Work) -> list[Picture]:
    by_content: dict[str, list[Picture]] = defaultdict(list)
    for picture in pictures:
        by_content[picture.sha256].append(picture)
    kept = []
    for copies in by_content.values():
        if len({copy.label for copy in copies}) > 1:
            _drop_two_classes(copies, work)
            continue
        first, *others = sorted(copies, key=lambda copy: (_RANK[copy.split], copy.path))
        kept.append(first)
        for copy in others:
            if copy.split == first.split:
                work.set_aside(copy, "duplicate", f"the same bytes as {first.path}")
            else:
                work.leak(copy, first, "the same bytes as")
    return kept


def _drop_two_classes(copies: Sequence[Picture], work: _Work) -> None:
    for copy in copies:
        other = next(other for other in copies if other.label != copy.label)
        detail = f"the same picture as {other.path}, which is {other.label}"
        work.set_aside(copy, "two-classes", detail)


def _group(pictures: Sequence[Picture], *, at_least: float = ALIKE) -> list[int]:
    hashes = np.frombuffer(b"".join(p.perceptual_hash for p in pictures), np.uint8)
    thumbnails = np.frombuffer(b"".join(p.thumbnail for p in pictures), np.uint8)
    groups: list[int] = group_similar(
        hashes.reshape(len(pictures), HASH_BITS // 8),
        thumbnails.reshape(len(pictures), THUMBNAIL_SIDE**2),
        at_least=at_least,
    ).tolist()
    return groups


def _drop_ambiguous(
    pictures: Sequence[Picture], groups: Sequence[int], work: _Work
) -> tuple[list[Picture], list[int]]:
    """Set aside what is the same picture in two classes though its bytes differ."""
    labels_of = defaultdict(set)
    for picture, group in zip(pictures, groups, strict=True):
        labels_of[group].add(picture.label)
    mixed = [p for p, group in zip(pictures, groups, strict=True) if len(labels_of[group]) > 1]
    dropped: set[str] = set()
    for alike in _members(mixed, _group(mixed, at_least=SAME)):
        if len({picture.label for picture in alike}) > 1:
            _drop_two_classes(alike, work)
            dropped.update(picture.path for picture in alike)
    return _without(pictures, groups, dropped)


def _drop_leaks(
    pictures: Sequence[Picture], groups: Sequence[int], work: _Work
) -> tuple[list[Picture], list[int]]:
    dropped: set[str] = set()
    for alike in _members(pictures, groups):
        first = min(alike, key=lambda picture: (_RANK[picture.split], picture.path))
        for picture in alike:
            if picture.split != first.split:
                work.leak(picture, first, "nearly the same picture as")
                dropped.add(picture.path)
    return _without(pictures, groups, dropped)


def _members(pictures: Sequence[Picture], groups: Sequence[int]) -> list[list[Picture]]:
    members = defaultdict(list)
    for picture, group in zip(pictures, groups, strict=True):
        members[group].append(picture)
    return list(members.values())


def _without(
    pictures: Sequence[Picture], groups: Sequence[int], dropped: set[str]
) -> tuple[list[Picture], list[int]]:
    kept = [
        (picture, group)
        for picture, group in zip(pictures, groups, strict=True)
        if picture.path not in dropped
    ]
    return [picture for picture, _ in kept], [group for _, group in kept]
