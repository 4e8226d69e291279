"""From a folder of files to images in splits: find, judge, clean, split, count."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from edgeemo.dataset.ingest.duplicates import CleanImages, clean_images, keep_all
from edgeemo.dataset.ingest.find import find_files
from edgeemo.dataset.ingest.judge import (
    BLANK_RANGE,
    MAX_FILE_BYTES,
    NO_FACE,
    UsableImage,
    judge_files,
)
from edgeemo.dataset.ingest.near_duplicates import (
    HAMMING_RADIUS,
    NEAR_DUPLICATE_CORRELATION,
    SAME_IMAGE_CORRELATION,
)
from edgeemo.dataset.ingest.options import Dataset, IngestOptions, IngestSummary
from edgeemo.dataset.ingest.split import SplitItem, assign_splits
from edgeemo.errors import DatasetError
from edgeemo.imaging.decode import MAX_PIXELS
from edgeemo.model.tables import SPLITS, Rejected, Sample
from edgeemo.utils.progress import Silent

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from edgeemo.dataset.ingest.find import FolderLayout
    from edgeemo.imaging.faces import FaceDetector
    from edgeemo.model.tables import Split
    from edgeemo.utils.progress import Progress

_SHARE_FROM_TRAIN = 0.2  # share of train that a missing validation or test split takes

THRESHOLDS: dict[str, float] = {
    "hamming_radius_bits": HAMMING_RADIUS,
    "near_duplicate_correlation": NEAR_DUPLICATE_CORRELATION,
    "same_image_correlation": SAME_IMAGE_CORRELATION,
    "blank_grey_range": BLANK_RANGE,
    "max_pixels": MAX_PIXELS,
    "max_file_bytes": MAX_FILE_BYTES,
}
"""The limits that decide what is set aside or grouped."""


def ingest_folder(
    root: Path,
    *,
    options: IngestOptions | None = None,
    detector: FaceDetector | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Prepare a folder of images for training; nothing in it is touched.

    Args:
        root: A folder as `find_files` describes it.
        options: How to prepare it.
        detector: The face detector; required where the options crop faces.
        progress: Who is told how far it is.

    Returns:
        Every usable image with its class and split, and every other file with the reason.

    Raises:
        DatasetError: If the folder cannot be used, or a class has fewer than two usable images
            or none to train or to test with.
        MissingExtraError: If the ``data`` extra is not installed.
    """
    options, progress = options or IngestOptions(), progress or Silent()
    layout = find_files(root, labels=options.labels)
    for name in layout.ignored:
        progress.note(f"{root}: {name} lies beside the splits and is not used")
    verdicts = judge_files(
        root,
        layout.files,
        accept=options.accept,
        crops=options.crops,
        detector=detector,
        progress=progress,
    )
    usable = [verdict for verdict in verdicts if isinstance(verdict, UsableImage)]
    _require_two(root, layout, usable, faceless=_count_faceless(layout, verdicts))
    progress.stage("Looking for duplicates")
    cleaned = clean_images(usable) if options.grouped else keep_all(usable)
    _require_two(root, layout, cleaned.images, faceless=_count_faceless(layout, verdicts))
    splits, taken = (
        _split_groups(cleaned, layout, options)
        if options.grouped
        else _split_images(cleaned, options)
    )
    _require_each(root, layout, cleaned.images, splits)
    return _build_dataset(layout, cleaned, splits, verdicts, taken, grouped=options.grouped)


def _split_images(
    cleaned: CleanImages, options: IngestOptions
) -> tuple[list[Split], tuple[Split, ...]]:
    """A split by chance for each image by itself, as if it had no copy."""
    copies: Counter[str] = Counter()
    items = []
    for number, image in enumerate(cleaned.images):
        copies[image.sha256] += 1  # tells copies apart, or they would be dealt one after another
        key = f"{image.sha256}:{copies[image.sha256]}"
        items.append(SplitItem(key, image.label, number))
    return assign_splits(items, ratios=_nonzero_ratios(options), seed=options.seed), ()


def _split_groups(
    cleaned: CleanImages, layout: FolderLayout, options: IngestOptions
) -> tuple[list[Split], tuple[Split, ...]]:
    """The split of each image, and which splits were taken from a brought train split."""
    ratios, taken = _choose_ratios(layout, options)
    brought = [image.split or "train" for image in cleaned.images]
    to_share = [index for index, split in enumerate(brought) if split == "train"]
    items = [
        SplitItem(cleaned.images[index].sha256, cleaned.images[index].label, cleaned.groups[index])
        for index in to_share
    ]
    shared = assign_splits(items, ratios=ratios, seed=options.seed)
    for index, split in zip(to_share, shared, strict=True):
        brought[index] = split
    return brought, taken


def _choose_ratios(
    layout: FolderLayout, options: IngestOptions
) -> tuple[dict[Split, float], tuple[Split, ...]]:
    """How to share out what is not in a brought validation or test split."""
    shares = _nonzero_ratios(options)
    missing = tuple(split for split in shares if split not in layout.splits)
    if not layout.splits or layout.splits == ("train",):
        return shares, missing if layout.splits else ()
    if not missing:
        return {"train": 1.0}, ()
    return {"train": 1 - _SHARE_FROM_TRAIN, missing[0]: _SHARE_FROM_TRAIN}, missing


def _nonzero_ratios(options: IngestOptions) -> dict[Split, float]:
    """The splits that shall have images, and their shares."""
    shares = zip(SPLITS, options.ratios, strict=True)
    return {split: share for split, share in shares if share > 0}


def _count_faceless(
    layout: FolderLayout, verdicts: Sequence[UsableImage | Rejected]
) -> Counter[str]:
    """How many images of each class were set aside for want of a face."""
    pairs = zip(layout.files, verdicts, strict=True)
    return Counter(
        file.label for file, one in pairs if isinstance(one, Rejected) and one.reason == NO_FACE
    )


def _require_two(
    root: Path, layout: FolderLayout, images: Iterable[UsableImage], *, faceless: Counter[str]
) -> None:
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


def _require_each(
    root: Path, layout: FolderLayout, images: Sequence[UsableImage], splits: Sequence[Split]
) -> None:
    present = {(image.label, split) for image, split in zip(images, splits, strict=True)}
    for label in layout.labels:
        for split in ("train", "test"):
            if (label, split) not in present:
                raise DatasetError(
                    f"{root}: class {label} has no image for the {split} split; "
                    "add images that are not near-duplicates of each other"
                )


def _build_dataset(
    layout: FolderLayout,
    cleaned: CleanImages,
    splits: Sequence[Split],
    verdicts: Sequence[UsableImage | Rejected],
    taken: tuple[Split, ...],
    *,
    grouped: bool,
) -> Dataset:
    samples = tuple(
        Sample(path=image.path, label=image.label, split=split, sha256=image.sha256)
        for image, split in zip(cleaned.images, splits, strict=True)
    )
    unusable = [verdict for verdict in verdicts if isinstance(verdict, Rejected)]
    usable = [verdict for verdict in verdicts if isinstance(verdict, UsableImage)]
    rejected = sorted([*unusable, *cleaned.rejected], key=lambda row: row.path)
    sizes = Counter(cleaned.groups)
    summary = IngestSummary(
        found=len(layout.files),
        kept=len(samples),
        per_split=_count_per_split(samples, layout.labels),
        rejected=dict(sorted(Counter(row.reason for row in rejected).items())),
        wrong_extension=sum(image.wrong_extension for image in usable),
        near_duplicate_groups=sum(size > 1 for size in sizes.values()),
        near_duplicates=sum(size for size in sizes.values() if size > 1),
        test_seen_in_train=_count_seen_in_train(cleaned.groups, splits),
        leaks=dict(sorted(cleaned.leaks.items())),
        thresholds=dict(THRESHOLDS),
        brought_splits=bool(layout.splits) and grouped,
        taken_from_train=taken,
        grouped=grouped,
    )
    return Dataset(
        root=layout.root,
        labels=layout.labels,
        samples=samples,
        rejected=tuple(rejected),
        summary=summary,
    )


def _count_seen_in_train(groups: Sequence[int], splits: Sequence[Split]) -> int:
    """How many images of test are in one group with one of train."""
    shown = {group for group, split in zip(groups, splits, strict=True) if split == "train"}
    pairs = zip(groups, splits, strict=True)
    return sum(split == "test" and group in shown for group, split in pairs)


def _count_per_split(samples: Iterable[Sample], labels: Sequence[str]) -> dict[str, dict[str, int]]:
    counts = Counter((sample.split, sample.label) for sample in samples)
    return {split: {label: counts[split, label] for label in labels} for split in SPLITS}
