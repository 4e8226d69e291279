"""From a folder to everything that can be said of it before training. Nothing in it is touched."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.dataset.check.features import FEATURES
from edgeemo.dataset.check.findings import derive_findings
from edgeemo.dataset.check.groups import find_identical_groups, find_near_duplicate_groups
from edgeemo.dataset.check.look import inspect_files
from edgeemo.dataset.check.mislabels import check_labels
from edgeemo.dataset.check.report import CheckReport, FaceCounts, Sizes
from edgeemo.dataset.check.shortcuts import find_shortcuts
from edgeemo.dataset.ingest.duplicates import clean_images, group_near_duplicates
from edgeemo.dataset.ingest.find import find_any_files
from edgeemo.dataset.ingest.judge import UsableImage, promised_format
from edgeemo.model.tables import Rejected
from edgeemo.utils.progress import Silent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from edgeemo.dataset.check.look import ImageStatistics, InspectedFile
    from edgeemo.dataset.ingest.find import FolderLayout
    from edgeemo.imaging.faces import FaceDetector
    from edgeemo.utils.progress import Progress

MIN_SIDE = 32
"""Images whose shorter side is below this, in pixels, are called odd..."""
MAX_ASPECT_RATIO = 3
"""... and those whose longer side is more than this many times the shorter..."""
MIN_CONTRAST = 12
"""... and those whose grey values deviate by less than this, of 0 to 255."""


def check_folder(
    root: Path,
    *,
    accept: Sequence[str] = (),
    detector: FaceDetector | None = None,
    detector_name: str = "",
    faces_skipped: str = "not asked for",
    progress: Progress | None = None,
) -> CheckReport:
    """Check a folder of images; nothing in it is touched.

    Args:
        root: A folder as `find_files` describes it, or one of images without classes.
        accept: Formats to take besides JPEG, PNG and BMP: "webp", "gif", or both.
        detector: The face detector; None looks for no faces.
        detector_name: Its name in the report.
        faces_skipped: Why there is none.
        progress: Who is told how far it is.

    Raises:
        DatasetError: If there is no such folder, it holds no files, or part of it cannot be read.
        MissingExtraError: If the ``data`` extra is not installed.
    """
    progress = progress or Silent()
    layout = find_any_files(root)
    looks = inspect_files(root, layout.files, accept=accept, detector=detector, progress=progress)
    progress.stage("Looking for duplicates")
    images = [look.verdict for look in looks if isinstance(look.verdict, UsableImage)]
    groups = group_near_duplicates(images)
    alike = find_near_duplicate_groups(images, groups)
    left_out = clean_images(images).rejected
    progress.stage("Looking for shortcuts and wrong labels")
    usable = [(one.verdict, one.facts) for one in looks if isinstance(one.verdict, UsableImage)]
    facts = [one for _, one in usable if one is not None]
    labels = [image.label for image in images]
    checked = CheckReport(
        root=root,
        labels=layout.labels,
        splits=layout.splits,
        found=len(looks),
        usable=len(images),
        counts=_counts(images, layout),
        formats=_ranked(Counter(look.format or "none" for look in looks)),
        modes=_ranked(Counter(one.mode for one in facts)),
        sizes=_sizes(facts),
        unusable=tuple(look.verdict for look in looks if isinstance(look.verdict, Rejected)),
        disguised=tuple(_disguised(looks)),
        odd=tuple(_odd(images, facts)),
        identical=find_identical_groups(images),
        alike=alike,
        left_out=tuple(sorted(left_out, key=lambda row: row.path)),
        shortcuts=find_shortcuts(facts, labels, layout.labels),
        mislabels=check_labels(
            [image.path for image in images],
            labels,
            classes=layout.labels,
            features=_features(facts),
            groups=groups,
        ),
        faces=_faces(images, facts, layout.labels, detector_name) if detector else None,
        faces_skipped="" if detector else faces_skipped,
        findings=(),
    )
    return replace(checked, findings=derive_findings(checked))


def _features(facts: Sequence[ImageStatistics]) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    joined = b"".join(one.features for one in facts)
    return np.frombuffer(joined, np.uint8).reshape(len(facts), FEATURES)


def _counts(images: Sequence[UsableImage], layout: FolderLayout) -> dict[str, dict[str, int]]:
    counts = Counter((image.split or "all", image.label) for image in images)
    return {
        split: {label: counts[split, label] for label in layout.labels}
        for split in layout.splits or ("all",)
    }


def _ranked(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda entry: (-entry[1], entry[0])))


def _sizes(facts: Sequence[ImageStatistics]) -> Sizes | None:
    if not facts:
        return None
    sizes = sorted(((one.width, one.height) for one in facts), key=lambda size: size[0] * size[1])
    return Sizes(
        smallest=sizes[0],
        median=sizes[len(sizes) // 2],
        largest=sizes[-1],
        different=len(set(sizes)),
        bytes=sum(one.size_bytes for one in facts),
    )


def _disguised(looks: Sequence[InspectedFile]) -> Iterator[Rejected]:
    for look in looks:
        if look.disguised:
            detail = f"named as {promised_format(look.verdict.path)}, but {look.format}"
            yield Rejected(path=look.verdict.path, reason="disguised", detail=detail)


def _odd(images: Sequence[UsableImage], facts: Sequence[ImageStatistics]) -> Iterator[Rejected]:
    for image, one in zip(images, facts, strict=True):
        shorter, longer = sorted((one.width, one.height))
        if shorter < MIN_SIDE:
            yield Rejected(path=image.path, reason="tiny", detail=f"{one.width}x{one.height}")
        elif longer > MAX_ASPECT_RATIO * shorter:
            yield Rejected(path=image.path, reason="long", detail=f"{one.width}x{one.height}")
        elif one.contrast < MIN_CONTRAST:
            detail = f"its grey values deviate by {one.contrast:.0f} of 255"
            yield Rejected(path=image.path, reason="faint", detail=detail)


def _faces(
    images: Sequence[UsableImage],
    facts: Sequence[ImageStatistics],
    labels: Sequence[str],
    detector: str,
) -> FaceCounts:
    counts = [one.faces or 0 for one in facts]
    pairs = list(zip(images, counts, strict=True))
    seen = Counter(image.label for image, count in pairs if count)
    sizes = Counter(image.label for image in images)
    return FaceCounts(
        detector=detector,
        one=counts.count(1),
        several=sum(count > 1 for count in counts),
        none=tuple(image.path for image, count in pairs if not count),
        share_per_class={label: seen[label] / sizes[label] for label in labels if sizes[label]},
    )
