"""What must not count twice, and what must not leak from one split into another."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.dataset.ingest.judge import THUMBNAIL_SIDE
from edgeemo.dataset.ingest.near_duplicates import (
    HASH_BITS,
    NEAR_DUPLICATE_CORRELATION,
    SAME_IMAGE_CORRELATION,
    group_similar,
)
from edgeemo.model.tables import Rejected

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from edgeemo.dataset.ingest.judge import UsableImage

_RANK = {"test": 0, "validation": 1, "train": 2, None: 3}
"""Which copy stays: test keeps what it has, then validation."""


@dataclass(frozen=True)
class CleanImages:
    """What is left when nothing counts twice and nothing leaks.

    Attributes:
        images: The images kept, sorted by path.
        groups: For each image kept a number that it shares with its near-duplicates.
        rejected: The images set aside.
        leaks: How many left one split because another holds the same, by "train/test" and so on.
    """

    images: tuple[UsableImage, ...]
    groups: tuple[int, ...]
    rejected: tuple[Rejected, ...]
    leaks: Mapping[str, int]


def clean_images(images: Iterable[UsableImage]) -> CleanImages:
    """Set aside what counts twice, carries two labels, or leaks between brought splits.

    Byte-identical images count once. The same image in two classes (byte-identical, or with
    thumbnails that correlate at `SAME_IMAGE_CORRELATION` or more) leaves both. Near-duplicates
    stay, as a group. Of a group that straddles brought splits only the test images stay, or those
    of validation if none is in test.

    Args:
        images: All usable images, in any order.
    """
    work = _Exclusions()
    kept = _drop_identical(sorted(images, key=lambda image: image.path), work)
    kept, groups = _drop_ambiguous(kept, _group(kept), work)
    kept, groups = _drop_leaks(kept, groups, work)
    return CleanImages(tuple(kept), tuple(groups), tuple(work.rejected), dict(work.leaks))


def keep_all(images: Iterable[UsableImage]) -> CleanImages:
    """Keep every image, copies and those in two classes included; only the groups are new.

    Args:
        images: All usable images, in any order. The splits that they were brought in are
            forgotten.
    """
    kept = [replace(image, split=None) for image in sorted(images, key=lambda one: one.path)]
    return CleanImages(tuple(kept), tuple(group_near_duplicates(kept)), (), {})


def group_near_duplicates(
    images: Sequence[UsableImage], *, min_correlation: float = NEAR_DUPLICATE_CORRELATION
) -> list[int]:
    """For each image a number that it shares with its copies and near-duplicates.

    Args:
        images: Usable images, in any order.
        min_correlation: As for `group_similar`.
    """
    first_of: dict[str, UsableImage] = {}
    for image in images:
        first_of.setdefault(image.sha256, image)
    group_of = dict(
        zip(first_of, _group([*first_of.values()], min_correlation=min_correlation), strict=True)
    )
    return [group_of[image.sha256] for image in images]


class _Exclusions:
    """What has been set aside so far."""

    def __init__(self) -> None:
        self.rejected: list[Rejected] = []
        self.leaks: Counter[str] = Counter()

    def exclude(self, image: UsableImage, reason: str, detail: str) -> None:
        self.rejected.append(Rejected(path=image.path, reason=reason, detail=detail))

    def exclude_leak(self, image: UsableImage, other: UsableImage, how: str) -> None:
        self.leaks[f"{image.split}/{other.split}"] += 1
        self.exclude(image, "leak", f"{how} {other.path}, which is in {other.split}")


def _drop_identical(images: Sequence[UsableImage], work: _Exclusions) -> list[UsableImage]:
    by_content: dict[str, list[UsableImage]] = defaultdict(list)
    for image in images:
        by_content[image.sha256].append(image)
    kept = []
    for copies in by_content.values():
        if len({copy.label for copy in copies}) > 1:
            _drop_two_classes(copies, work)
            continue
        first, *others = sorted(copies, key=lambda copy: (_RANK[copy.split], copy.path))
        kept.append(first)
        for copy in others:
            if copy.split == first.split:
                work.exclude(copy, "duplicate", f"the same bytes as {first.path}")
            else:
                work.exclude_leak(copy, first, "the same bytes as")
    return kept


def _drop_two_classes(copies: Sequence[UsableImage], work: _Exclusions) -> None:
    for copy in copies:
        other = next(other for other in copies if other.label != copy.label)
        detail = f"the same image as {other.path}, which is {other.label}"
        work.exclude(copy, "two-classes", detail)


def _group(
    images: Sequence[UsableImage], *, min_correlation: float = NEAR_DUPLICATE_CORRELATION
) -> list[int]:
    hashes = np.frombuffer(b"".join(p.perceptual_hash for p in images), np.uint8)
    thumbnails = np.frombuffer(b"".join(p.thumbnail for p in images), np.uint8)
    groups: list[int] = group_similar(
        hashes.reshape(len(images), HASH_BITS // 8),
        thumbnails.reshape(len(images), THUMBNAIL_SIDE**2),
        min_correlation=min_correlation,
    ).tolist()
    return groups


def _drop_ambiguous(
    images: Sequence[UsableImage], groups: Sequence[int], work: _Exclusions
) -> tuple[list[UsableImage], list[int]]:
    """Set aside what is the same image in two classes though its bytes differ."""
    labels_of = defaultdict(set)
    for image, group in zip(images, groups, strict=True):
        labels_of[group].add(image.label)
    mixed = [p for p, group in zip(images, groups, strict=True) if len(labels_of[group]) > 1]
    dropped: set[str] = set()
    for alike in _members(mixed, _group(mixed, min_correlation=SAME_IMAGE_CORRELATION)):
        if len({image.label for image in alike}) > 1:
            _drop_two_classes(alike, work)
            dropped.update(image.path for image in alike)
    return _without(images, groups, dropped)


def _drop_leaks(
    images: Sequence[UsableImage], groups: Sequence[int], work: _Exclusions
) -> tuple[list[UsableImage], list[int]]:
    dropped: set[str] = set()
    for alike in _members(images, groups):
        first = min(alike, key=lambda image: (_RANK[image.split], image.path))
        for image in alike:
            if image.split != first.split:
                work.exclude_leak(image, first, "nearly the same image as")
                dropped.add(image.path)
    return _without(images, groups, dropped)


def _members(images: Sequence[UsableImage], groups: Sequence[int]) -> list[list[UsableImage]]:
    members = defaultdict(list)
    for image, group in zip(images, groups, strict=True):
        members[group].append(image)
    return list(members.values())


def _without(
    images: Sequence[UsableImage], groups: Sequence[int], dropped: set[str]
) -> tuple[list[UsableImage], list[int]]:
    kept = [
        (image, group)
        for image, group in zip(images, groups, strict=True)
        if image.path not in dropped
    ]
    return [image for image, _ in kept], [group for _, group in kept]
