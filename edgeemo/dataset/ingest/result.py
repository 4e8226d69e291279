"""The result of an ingest: images, exclusions and figures."""

from __future__ import annotations

import heapq
from collections import Counter
from typing import TYPE_CHECKING

from edgeemo.dataset.ingest.examine import BLANK_RANGE, UsableImage
from edgeemo.dataset.ingest.near_duplicates import (
    NEAR_DUPLICATE_CORRELATION,
    SAME_IMAGE_CORRELATION,
)
from edgeemo.dataset.ingest.near_hashes import HAMMING_RADIUS
from edgeemo.dataset.ingest.options import Dataset, IngestSummary
from edgeemo.dataset.processing.folder import MEASURED, measure_folder
from edgeemo.imaging.limits import MAX_FILE_BYTES, MAX_PIXELS
from edgeemo.model.tables import SPLITS, Rejected, Sample

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from edgeemo.dataset.ingest.duplicates import CleanImages
    from edgeemo.dataset.ingest.find import FolderLayout
    from edgeemo.model.tables import Split
    from edgeemo.utils.progress import Progress

THRESHOLDS: dict[str, float] = {
    "hamming_radius_bits": HAMMING_RADIUS,
    "near_duplicate_correlation": NEAR_DUPLICATE_CORRELATION,
    "same_image_correlation": SAME_IMAGE_CORRELATION,
    "blank_grey_range": BLANK_RANGE,
    "max_pixels": MAX_PIXELS,
    "max_file_bytes": MAX_FILE_BYTES,
}
"""Thresholds for excluding and grouping images."""


def build_dataset(
    layout: FolderLayout,
    verdicts: Sequence[UsableImage | Rejected],
    *,
    cleaned: CleanImages,
    splits: Sequence[Split],
    taken_from_train: tuple[Split, ...],
    grouped: bool,
    progress: Progress,
) -> Dataset:
    """Return images, exclusions and figures of an ingest.

    Args:
        layout: Classes, splits and files of the folder.
        verdicts: The verdict on each file.
        cleaned: The images that are left.
        splits: The split of each of them.
        taken_from_train: As in `IngestSummary`.
        grouped: As in `IngestOptions`.
        progress: Receives a warning of each kind of processing that many of the images have.
    """
    samples = tuple(
        Sample(path=image.path, label=image.label, split=split, sha256=image.sha256)
        for image, split in zip(cleaned.images, splits, strict=True)
    )
    unusable = [verdict for verdict in verdicts if isinstance(verdict, Rejected)]
    usable = [verdict for verdict in verdicts if isinstance(verdict, UsableImage)]
    rejected = sorted([*unusable, *cleaned.rejected], key=lambda row: row.path)
    sizes = Counter(cleaned.groups)
    processing = _find_processing(layout.root, samples)
    for finding in processing:
        progress.note(f"warning: {finding}")
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
        taken_from_train=taken_from_train,
        grouped=grouped,
        processing=processing,
    )
    return Dataset(
        root=layout.root,
        labels=layout.labels,
        samples=samples,
        rejected=tuple(rejected),
        summary=summary,
    )


def _find_processing(root: Path, samples: Iterable[Sample]) -> tuple[str, ...]:
    """Return findings on some of the images, chosen by their content."""
    chosen = heapq.nsmallest(MEASURED, samples, key=lambda sample: (sample.sha256, sample.path))
    shares = measure_folder(root, [sample.path for sample in chosen])
    return tuple(f"{share.text}." for share in shares if share.is_large)


def _count_seen_in_train(groups: Sequence[int], splits: Sequence[Split]) -> int:
    """Return the number of test images in one group with a training image."""
    pairs = list(zip(groups, splits, strict=True))
    trained = {group for group, split in pairs if split == "train"}
    return sum(split == "test" and group in trained for group, split in pairs)


def _count_per_split(samples: Iterable[Sample], labels: Sequence[str]) -> dict[str, dict[str, int]]:
    counts = Counter((sample.split, sample.label) for sample in samples)
    return {split: {label: counts[split, label] for label in labels} for split in SPLITS}
