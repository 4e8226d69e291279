"""Exclusion of copies, of images in two classes, and of leaks between splits."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from edgeemo.dataset.ingest.fingerprint import THUMBNAIL_SIDE
from edgeemo.dataset.ingest.near_duplicates import (
    NEAR_DUPLICATE_CORRELATION,
    SAME_IMAGE_CORRELATION,
    group_similar,
)
from edgeemo.dataset.ingest.near_hashes import HASH_BITS
from edgeemo.model.tables import Rejected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from edgeemo.dataset.ingest.examine import UsableImage

_RANK = {"test": 0, "validation": 1, "train": 2, None: 3}
"""Which copy stays: that in the test split, then that in the validation split."""


@dataclass(frozen=True)
class CleanImages:
    """The images without copies and leaks.

    Attributes:
        images: The images, sorted by path.
        groups: The number of each image's group of near-duplicates.
        rejected: The excluded images.
        leaks: Number of images excluded from one split because another has the same or nearly the
            same, by both splits, such as "train/test".
    """

    images: tuple[UsableImage, ...]
    groups: tuple[int, ...]
    rejected: tuple[Rejected, ...]
    leaks: Mapping[str, int]


class Grouper(Protocol):
    """Numbers the groups of near-duplicates."""

    def __call__(
        self, images: Sequence[UsableImage], *, min_correlation: float = NEAR_DUPLICATE_CORRELATION
    ) -> Sequence[int]:
        """Return for each image the number of its group, as `group_similar` numbers them."""


def clean_images(
    images: Iterable[UsableImage],
    *,
    first: Callable[[UsableImage], int] = lambda _: 0,
    group: Grouper | None = None,
) -> CleanImages:
    """Exclude copies, images in two classes, and leaks between the folder's splits.

    Of byte-identical images one stays. The same image in two classes (byte-identical, or with
    thumbnails that correlate at `SAME_IMAGE_CORRELATION` or more) is excluded from both.
    Near-duplicates stay, as a group. Of a group in several splits of the folder only the test
    images stay, or those of validation if none is in test. Images without a split always stay.

    Args:
        images: All usable images, in any order.
        first: Gives a rank to an image: of copies in one split that of the lowest stays, and of
            those the first by path.
        group: Groups images, no two of which are copies; None to compare all of them here.
    """
    group = group or _group
    exclusions = _Exclusions()
    ranked = sorted(images, key=lambda image: (first(image), image.path))
    kept = sorted(_exclude_copies(ranked, exclusions), key=lambda image: image.path)
    kept, groups = _exclude_same_images_in_two_classes(kept, group, exclusions)
    kept, groups = _exclude_leaks(kept, groups, exclusions)
    return CleanImages(
        tuple(kept), tuple(groups), tuple(exclusions.rejected), dict(exclusions.leaks)
    )


def keep_all(images: Iterable[UsableImage]) -> CleanImages:
    """Group the images and exclude none, neither copies nor images in two classes.

    Args:
        images: All usable images, in any order. Their splits are dropped.
    """
    kept = [replace(image, split=None) for image in sorted(images, key=lambda one: one.path)]
    return CleanImages(tuple(kept), tuple(group_near_duplicates(kept)), (), {})


def group_near_duplicates(
    images: Sequence[UsableImage], *, min_correlation: float = NEAR_DUPLICATE_CORRELATION
) -> list[int]:
    """Return for each image the number of its group of copies and near-duplicates.

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


def list_groups(images: Sequence[UsableImage], groups: Sequence[int]) -> list[list[UsableImage]]:
    """Return the images of each group.

    Args:
        images: Usable images.
        groups: The number of each image's group.
    """
    members = defaultdict(list)
    for image, group in zip(images, groups, strict=True):
        members[group].append(image)
    return list(members.values())


class _Exclusions:
    """The images that are excluded so far."""

    def __init__(self) -> None:
        self.rejected: list[Rejected] = []
        self.leaks: Counter[str] = Counter()

    def exclude(self, image: UsableImage, reason: str, detail: str) -> None:
        self.rejected.append(Rejected(path=image.path, reason=reason, detail=detail))

    def exclude_leak(self, image: UsableImage, other: UsableImage, how: str) -> None:
        self.leaks[f"{image.split}/{other.split}"] += 1
        self.exclude(image, "leak", f"{how} {other.path}, which is in {other.split}")


def _exclude_copies(images: Sequence[UsableImage], exclusions: _Exclusions) -> list[UsableImage]:
    by_content: dict[str, list[UsableImage]] = defaultdict(list)
    for image in images:
        by_content[image.sha256].append(image)
    kept = []
    for copies in by_content.values():
        if len({copy.label for copy in copies}) > 1:
            _exclude_two_classes(copies, exclusions)
            continue
        first, *others = sorted(copies, key=lambda copy: _RANK[copy.split])
        kept.append(first)
        for copy in others:
            if copy.split in (first.split, None):
                exclusions.exclude(copy, "duplicate", f"identical to {first.path}")
            else:
                exclusions.exclude_leak(copy, first, "identical to")
    return kept


def _exclude_two_classes(copies: Sequence[UsableImage], exclusions: _Exclusions) -> None:
    for copy in copies:
        other = next(other for other in copies if other.label != copy.label)
        detail = f"the same image as {other.path}, which is {other.label}"
        exclusions.exclude(copy, "two-classes", detail)


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


def _exclude_same_images_in_two_classes(
    images: Sequence[UsableImage], group: Grouper, exclusions: _Exclusions
) -> tuple[list[UsableImage], list[int]]:
    """Exclude the same image in two classes where its bytes differ."""
    groups = group(images)
    mixed, _ = _select_mixed(images, groups, lambda image: image.label)
    excluded: set[str] = set()
    for alike in list_groups(mixed, group(mixed, min_correlation=SAME_IMAGE_CORRELATION)):
        if len({image.label for image in alike}) > 1:
            _exclude_two_classes(alike, exclusions)
            excluded.update(image.path for image in alike)
    return _remove(images, groups, excluded)


def _exclude_leaks(
    images: Sequence[UsableImage], groups: Sequence[int], exclusions: _Exclusions
) -> tuple[list[UsableImage], list[int]]:
    excluded: set[str] = set()
    for alike in list_groups(*_select_mixed(images, groups, lambda image: image.split)):
        first = min(alike, key=lambda image: (_RANK[image.split], image.path))
        for image in alike:
            if image.split not in (first.split, None):  # without a split it follows the first
                exclusions.exclude_leak(image, first, "near-duplicate of")
                excluded.add(image.path)
    return _remove(images, groups, excluded)


def _select_mixed(
    images: Sequence[UsableImage],
    groups: Sequence[int],
    read: Callable[[UsableImage], str | None],
) -> tuple[list[UsableImage], list[int]]:
    """Return the images, and their groups, of the groups whose images differ in something."""
    first_of: dict[int, str | None] = {}
    pairs = list(zip(images, groups, strict=True))
    mixed = {
        group for image, group in pairs if first_of.setdefault(group, read(image)) != read(image)
    }
    chosen = [(image, group) for image, group in pairs if group in mixed]
    return [image for image, _ in chosen], [group for _, group in chosen]


def _remove(
    images: Sequence[UsableImage], groups: Sequence[int], excluded: set[str]
) -> tuple[list[UsableImage], list[int]]:
    kept = [
        (image, group)
        for image, group in zip(images, groups, strict=True)
        if image.path not in excluded
    ]
    return [image for image, _ in kept], [group for _, group in kept]
