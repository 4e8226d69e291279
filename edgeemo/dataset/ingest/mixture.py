"""Ingest of several collections: judged one by one, then cleaned and split together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.dataset.ingest.collection import choose_classes, describe_collections
from edgeemo.dataset.ingest.duplicates import CleanImages, clean_images, keep_all
from edgeemo.dataset.ingest.examine import UsableImage
from edgeemo.dataset.ingest.find import FolderLayout, find_files
from edgeemo.dataset.ingest.ingestion import (
    choose_ratios,
    count_faceless,
    require_each,
    require_two,
    split_images,
)
from edgeemo.dataset.ingest.judge import judge_files
from edgeemo.dataset.ingest.options import CollectionPart, Dataset, IngestOptions
from edgeemo.dataset.ingest.result import build_dataset
from edgeemo.dataset.ingest.split import SplitItem, assign_splits
from edgeemo.errors import DatasetError
from edgeemo.model.tables import Rejected
from edgeemo.utils.progress import Silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from edgeemo.dataset.ingest.collection import CollectionClasses, OpenCollection
    from edgeemo.imaging.faces import FaceDetector
    from edgeemo.model.tables import Split
    from edgeemo.utils.paths import StrPath
    from edgeemo.utils.progress import Progress


@dataclass(frozen=True)
class _Found:
    """The files of a collection.

    Attributes:
        opened: The collection.
        layout: Its classes, splits and files, whose labels are those of the model or of classes
            with shares.
        soft: The classes with shares.
    """

    opened: OpenCollection
    layout: FolderLayout
    soft: frozenset[str]

    def owns(self, image: UsableImage) -> bool:
        """Return whether an image is of the collection."""
        return image.path.startswith(f"{self.opened.name}/")

    def is_soft(self, image: UsableImage) -> bool:
        """Return whether an image is of the collection, and of a class with shares."""
        return image.label in self.soft and self.owns(image)


def ingest_collections(
    root: StrPath,
    collections: Sequence[OpenCollection],
    *,
    options: IngestOptions,
    detector: FaceDetector | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Prepare several collections for training; their folders are not changed.

    Copies and near-duplicates are found across them, and a group stays in one split. Of copies that
    of the first collection stays, unless that of another is in its validation or test split. A
    collection keeps the splits that it has, and a group with such an image follows it; the others
    are split each by itself. Images of classes with shares are for training only: those that
    resemble an image of another split are excluded, and of a collection with splits only those of
    its train split are taken.

    Args:
        root: The folder of `open_collections`.
        collections: The collections.
        options: Formats, classes, splits and crops.
        detector: The face detector; required where the options crop faces.
        progress: Receives the progress.

    Returns:
        As `ingest_folder`; the paths of the images begin with the names of the collections.

    Raises:
        DatasetError: As `ingest_folder`.
        MissingExtraError: If the ``data`` extra is not installed.
    """
    root = Path(root)
    progress = progress or Silent()
    if options.decisions:
        raise DatasetError(
            f"{options.decisions.file}: decisions about one folder; give one --data with --review"
        )
    labels, chosen = choose_classes(collections, labels=options.labels, classes=options.classes)
    found = [
        _find(each, classes, progress) for each, classes in zip(collections, chosen, strict=True)
    ]
    verdicts = [verdict for each in found for verdict in _judge(each, options, detector, progress)]
    files = tuple(file for each in found for file in each.layout.files)
    layout = FolderLayout(root=root, labels=labels, splits=(), files=files)
    name, faceless = describe_collections(collections), count_faceless(layout, verdicts)
    usable = [verdict for verdict in verdicts if isinstance(verdict, UsableImage)]
    require_two(name, layout, usable, faceless=faceless)
    progress.stage("Finding duplicates")
    cleaned = clean_images(usable, first=_rank(found)) if options.grouped else keep_all(usable)
    cleaned, splits = _assign_splits(cleaned, found, options)
    require_two(name, layout, cleaned.images, faceless=faceless)
    hard = [not any(each.is_soft(image) for each in found) for image in cleaned.images]
    require_each(name, layout, [*compress(cleaned.images, hard)], [*compress(splits, hard)])
    dataset = build_dataset(
        layout,
        verdicts,
        cleaned=cleaned,
        splits=splits,
        taken_from_train=(),
        grouped=options.grouped,
        progress=progress,
    )
    parts = [
        _describe_part(each, classes, labels, options)
        for each, classes in zip(found, chosen, strict=True)
    ]
    return replace(dataset, collections=tuple(parts))


def _describe_part(
    found: _Found, classes: CollectionClasses, labels: Sequence[str], options: IngestOptions
) -> CollectionPart:
    given = found.opened.given
    return CollectionPart(
        name=found.opened.name,
        path=given.path,
        weight=given.weight,
        soft={
            name: tuple(shares.get(label, 0.0) for label in labels)
            for name, shares in classes.soft.items()
        },
        brought_splits=bool(found.layout.splits) and options.grouped,
    )


def _rank(found: Sequence[_Found]) -> Callable[[UsableImage], int]:
    """Return a function from an image to the number of its collection."""
    return lambda image: next(number for number, each in enumerate(found) if each.owns(image))


def _find(opened: OpenCollection, classes: CollectionClasses, progress: Progress) -> _Found:
    names = (*classes.hard, *classes.soft)
    layout = find_files(opened.folder, classes=names)
    for name in layout.ignored:
        progress.note(f"{opened.given.path}: {name} is beside the splits and not used")
    for warning in layout.warnings:
        progress.note(f"warning: {opened.given.path}: {warning.text}")
    files = tuple(
        replace(file, label=classes.hard.get(file.label, file.label))
        for file in layout.files
        if file.label in classes.hard or file.split in (None, "train")
    )
    return _Found(opened, replace(layout, files=files), frozenset(classes.soft))


def _judge(
    found: _Found, options: IngestOptions, detector: FaceDetector | None, progress: Progress
) -> list[UsableImage | Rejected]:
    """Judge the files of a collection; the paths of the verdicts begin with its name."""
    verdicts = judge_files(
        found.opened.folder,
        found.layout.files,
        accept=options.accept,
        crops=options.crops,
        detector=detector,
        progress=progress,
    )
    return [replace(each, path=f"{found.opened.name}/{each.path}") for each in verdicts]


def _assign_splits(
    cleaned: CleanImages, found: Sequence[_Found], options: IngestOptions
) -> tuple[CleanImages, list[Split]]:
    """Return the images that are left, and the split of each."""
    images, groups = cleaned.images, cleaned.groups
    soft = [any(each.is_soft(image) for each in found) for image in images]
    if not options.grouped:
        hard = [number for number, is_soft in enumerate(soft) if not is_soft]
        random = dict(zip(hard, split_images([images[n] for n in hard], options), strict=True))
        return cleaned, [random.get(number, "train") for number in range(len(images))]
    split_of = _split_groups(cleaned, found, soft, options)
    splits = [split_of.get(group, "train") for group in groups]
    return _exclude_soft_leaks(cleaned, splits, soft)


def _split_groups(
    cleaned: CleanImages, found: Sequence[_Found], soft: Sequence[bool], options: IngestOptions
) -> dict[int, Split]:
    """Return the split of each group that has an image with a class of the model."""
    split_of: dict[int, Split] = {}
    rest = []
    for each in found:
        ratios, taken = choose_ratios(each.layout, options)
        movable = []
        for number, image in enumerate(cleaned.images):
            if not each.owns(image) or soft[number]:
                continue
            if image.split is None or (image.split == "train" and taken):
                movable.append(number)
            else:
                split_of[cleaned.groups[number]] = image.split
        rest.append((ratios, movable))
    for ratios, movable in rest:
        items = [
            SplitItem(cleaned.images[n].sha256, cleaned.images[n].label, cleaned.groups[n])
            for n in movable
            if cleaned.groups[n] not in split_of
        ]
        assigned = assign_splits(items, ratios=ratios, seed=options.seed)
        split_of |= {item.group: split for item, split in zip(items, assigned, strict=True)}
    return split_of


def _exclude_soft_leaks(
    cleaned: CleanImages, splits: Sequence[Split], soft: Iterable[bool]
) -> tuple[CleanImages, list[Split]]:
    """Exclude images of classes with shares whose group is not in train."""
    kept, rejected = [], [*cleaned.rejected]
    leaks = dict(cleaned.leaks)
    for image, group, split, is_soft in zip(
        cleaned.images, cleaned.groups, splits, soft, strict=True
    ):
        if not is_soft or split == "train":
            kept.append((image, group, split))
            continue
        leaks[f"train/{split}"] = leaks.get(f"train/{split}", 0) + 1
        detail = f"near-duplicate of an image that is in {split}"
        rejected.append(Rejected(path=image.path, reason="leak", detail=detail))
    images = CleanImages(
        tuple(image for image, _, _ in kept),
        tuple(group for _, group, _ in kept),
        tuple(rejected),
        leaks,
    )
    return images, [split for _, _, split in kept]
