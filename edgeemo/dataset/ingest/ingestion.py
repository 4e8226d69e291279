"""From a folder of files to images in splits: find, judge, clean and split."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.dataset.ingest.duplicates import CleanImages, clean_images, keep_all
from edgeemo.dataset.ingest.examine import UsableImage
from edgeemo.dataset.ingest.find import find_files
from edgeemo.dataset.ingest.judge import NO_FACE, judge_files
from edgeemo.dataset.ingest.options import Dataset, IngestOptions
from edgeemo.dataset.ingest.result import build_dataset
from edgeemo.dataset.ingest.split import SplitItem, assign_splits
from edgeemo.errors import DatasetError
from edgeemo.model.tables import SPLITS, Rejected
from edgeemo.utils.progress import Silent

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from edgeemo.dataset.ingest.find import FolderLayout
    from edgeemo.imaging.faces import FaceDetector
    from edgeemo.model.tables import Split
    from edgeemo.utils.paths import StrPath
    from edgeemo.utils.progress import Progress

_SHARE_FROM_TRAIN = 0.2  # share of train that becomes a missing validation or test split


def ingest_folder(
    root: StrPath,
    *,
    options: IngestOptions | None = None,
    detector: FaceDetector | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Prepare a folder of images for training; the folder is not changed.

    Args:
        root: A folder as `find_files` describes it.
        options: Formats, classes, splits and crops.
        detector: The face detector; required where the options crop faces.
        progress: Receives the progress.

    Returns:
        Every usable image with its class and split, and every excluded file with the reason.

    Raises:
        DatasetError: If the folder cannot be used, or a class has fewer than two usable images,
            none in train or none in test.
        MissingExtraError: If the ``data`` extra is not installed.
    """
    root = Path(root)
    options, progress = options or IngestOptions(), progress or Silent()
    layout = find_files(
        root,
        labels=options.labels,
        classes=options.classes,
        may_lack_images=options.may_lack_images,
    )
    for name in layout.ignored:
        progress.note(f"{root}: {name} is beside the splits and not used")
    for warning in layout.warnings:
        progress.note(f"warning: {root}: {warning.text}")
    verdicts = judge_files(
        root,
        layout.files,
        accept=options.accept,
        crops=options.crops,
        detector=detector,
        progress=progress,
    )
    if options.decisions:
        verdicts = options.decisions.apply(verdicts, labels=layout.labels, progress=progress)
    usable = [verdict for verdict in verdicts if isinstance(verdict, UsableImage)]
    faceless = count_faceless(layout, verdicts)
    require_two(root, layout, usable, faceless=faceless)
    progress.stage("Finding duplicates")
    cleaned = clean_images(usable) if options.grouped else keep_all(usable)
    require_two(root, layout, cleaned.images, faceless=faceless)
    splits, taken = _assign_splits(cleaned, layout, options)
    require_each(root, layout, cleaned.images, splits)
    return build_dataset(
        layout,
        verdicts,
        cleaned=cleaned,
        splits=splits,
        taken_from_train=taken,
        grouped=options.grouped,
        progress=progress,
    )


def _assign_splits(
    cleaned: CleanImages, layout: FolderLayout, options: IngestOptions
) -> tuple[list[Split], tuple[Split, ...]]:
    """Return the split of each image, and the splits taken from the folder's train split."""
    if options.grouped:
        return _split_groups(cleaned, layout, options)
    return split_images(cleaned.images, options), ()


def split_images(images: Sequence[UsableImage], options: IngestOptions) -> list[Split]:
    """Return a random split for each single image, whether it has copies or not."""
    copies: Counter[str] = Counter()
    items = []
    for number, image in enumerate(images):
        copies[image.sha256] += 1  # without a number, copies would be assigned one after another
        key = f"{image.sha256}:{copies[image.sha256]}"
        items.append(SplitItem(key, image.label, number))
    return assign_splits(items, ratios=_nonzero_ratios(options), seed=options.seed)


def _split_groups(
    cleaned: CleanImages, layout: FolderLayout, options: IngestOptions
) -> tuple[list[Split], tuple[Split, ...]]:
    ratios, taken = choose_ratios(layout, options)
    splits = [image.split or "train" for image in cleaned.images]
    movable = [index for index, split in enumerate(splits) if split == "train"]
    items = [
        SplitItem(cleaned.images[index].sha256, cleaned.images[index].label, cleaned.groups[index])
        for index in movable
    ]
    assigned = assign_splits(items, ratios=ratios, seed=options.seed)
    for index, split in zip(movable, assigned, strict=True):
        splits[index] = split
    return splits, taken


def choose_ratios(
    layout: FolderLayout, options: IngestOptions
) -> tuple[dict[Split, float], tuple[Split, ...]]:
    """Return the ratios for the images outside of the folder's own validation and test split."""
    shares = _nonzero_ratios(options)
    missing = tuple(split for split in shares if split not in layout.splits)
    if not layout.splits or layout.splits == ("train",):
        return shares, missing if layout.splits else ()
    if not missing:
        return {"train": 1.0}, ()
    return {"train": 1 - _SHARE_FROM_TRAIN, missing[0]: _SHARE_FROM_TRAIN}, missing


def _nonzero_ratios(options: IngestOptions) -> dict[Split, float]:
    """Return the splits that are not to be empty, with their shares."""
    shares = zip(SPLITS, options.ratios, strict=True)
    return {split: share for split, share in shares if share > 0}


def count_faceless(
    layout: FolderLayout, verdicts: Sequence[UsableImage | Rejected]
) -> Counter[str]:
    """Return the number of images of each class that are excluded for having no face."""
    pairs = zip(layout.files, verdicts, strict=True)
    return Counter(
        file.label for file, one in pairs if isinstance(one, Rejected) and one.reason == NO_FACE
    )


def require_two(
    root: Path | str, layout: FolderLayout, images: Iterable[UsableImage], *, faceless: Counter[str]
) -> None:
    """Refuse a class with fewer than two usable images.

    Args:
        root: The folder, for the message.
        layout: Classes and files.
        images: The usable images.
        faceless: As `count_faceless` returns it.

    Raises:
        DatasetError: If there is one.
    """
    counts = Counter(image.label for image in images)
    for label in layout.labels:
        if counts[label] < 2:
            found = sum(file.label == label for file in layout.files)
            usable = "1 usable image" if counts[label] else "no usable images"
            faces = f" (no face in {faceless[label]:,})" if faceless[label] else ""
            raise DatasetError(
                f"{root}: class {label} has {usable} among {found} files{faces}; "
                "at least 2 are needed, better hundreds"
            )


def require_each(
    root: Path | str, layout: FolderLayout, images: Sequence[UsableImage], splits: Sequence[Split]
) -> None:
    """Refuse a class without an image in train or in test.

    Args:
        root: The folder, for the message.
        layout: Gives the classes.
        images: The images.
        splits: The split of each.

    Raises:
        DatasetError: If there is one.
    """
    present = {(image.label, split) for image, split in zip(images, splits, strict=True)}
    for label in layout.labels:
        for split in ("train", "test"):
            if (label, split) not in present:
                raise DatasetError(
                    f"{root}: class {label} has no image for the {split} split; "
                    "add images that are not near-duplicates of each other"
                )
