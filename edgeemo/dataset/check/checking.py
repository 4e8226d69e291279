"""The check of a folder of images before training. The folder is not changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.dataset.check.features import FEATURES
from edgeemo.dataset.check.findings import derive_findings
from edgeemo.dataset.check.groups import find_identical_groups, find_near_duplicate_groups
from edgeemo.dataset.check.inspection import inspect_files
from edgeemo.dataset.check.labels import check_labels
from edgeemo.dataset.check.report import CheckReport
from edgeemo.dataset.check.shortcuts import find_shortcuts
from edgeemo.dataset.check.tallies import (
    count_faces,
    count_images,
    count_names,
    find_disguised,
    find_odd,
    find_processed,
    measure_sizes,
)
from edgeemo.dataset.face_sample import sample_faces
from edgeemo.dataset.ingest.duplicates import clean_images, group_near_duplicates
from edgeemo.dataset.ingest.examine import UsableImage
from edgeemo.dataset.ingest.find import find_any_files
from edgeemo.dataset.processing.shares import count_shares
from edgeemo.model.tables import Rejected
from edgeemo.utils.progress import Silent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edgeemo.dataset.check.inspection import ImageStatistics, InspectedFile
    from edgeemo.dataset.check.labels import LabelCheck
    from edgeemo.imaging.faces import FaceDetector
    from edgeemo.utils.paths import StrPath
    from edgeemo.utils.progress import Progress


def check_folder(
    root: StrPath,
    *,
    classes: Sequence[str] | None = None,
    accept: Sequence[str] = (),
    detector: FaceDetector | None = None,
    detector_name: str = "",
    faces_skipped: str = "not requested",
    progress: Progress | None = None,
) -> CheckReport:
    """Check a folder of images; the folder is not changed.

    Args:
        root: A folder as `find_files` describes it, or one of images without classes.
        classes: Classes to check; None for all.
        accept: Formats to accept besides JPEG, PNG and BMP: "webp", "gif", or both.
        detector: The face detector; None to search a sample alone.
        detector_name: Its name in the report.
        faces_skipped: Reason for detecting no faces in the other images.
        progress: Receives the progress.

    Raises:
        DatasetError: If the folder does not exist, has no files, or cannot be read in part.
        MissingExtraError: If the ``data`` extra is not installed.
    """
    root = Path(root)
    progress = progress or Silent()
    layout = find_any_files(root, classes=classes)
    files = inspect_files(root, layout.files, accept=accept, detector=detector, progress=progress)
    images, statistics = _select_usable(files)
    progress.stage("Finding duplicates")
    groups = group_near_duplicates(images)
    progress.stage("Finding shortcuts and suspicious labels")
    faces = face_sample = None
    if detector is not None:
        faces = count_faces(images, statistics, labels=layout.labels, detector=detector_name)
    else:
        progress.stage("Searching a sample for faces")
        face_sample = sample_faces([root / image.path for image in images])
    report = CheckReport(
        root=root,
        labels=layout.labels,
        splits=layout.splits,
        found=len(files),
        usable=len(images),
        counts=count_images(images, layout),
        formats=count_names(file.format or "none" for file in files),
        modes=count_names(one.mode for one in statistics),
        sizes=measure_sizes(statistics),
        unusable=tuple(file.verdict for file in files if isinstance(file.verdict, Rejected)),
        disguised=tuple(find_disguised(files)),
        processed=tuple(find_processed(files)),
        processing=count_shares(
            (file.verdict.path, file.traces) for file in files if file.traces is not None
        ),
        odd=tuple(find_odd(images, statistics)),
        identical=find_identical_groups(images),
        near_duplicates=find_near_duplicate_groups(images, groups),
        excluded=tuple(sorted(clean_images(images).rejected, key=lambda row: row.path)),
        shortcuts=find_shortcuts(statistics, [image.label for image in images], layout.labels),
        label_check=_check_labels(images, statistics, classes=layout.labels, groups=groups),
        faces=faces,
        face_sample=face_sample,
        faces_skipped="" if detector else faces_skipped,
        findings=(),
        layout=layout.warnings,
    )
    return replace(report, findings=derive_findings(report))


def _select_usable(
    files: Sequence[InspectedFile],
) -> tuple[list[UsableImage], list[ImageStatistics]]:
    """Return the usable images and the statistics of each of them."""
    pairs = [
        (file.verdict, file.statistics)
        for file in files
        if isinstance(file.verdict, UsableImage) and file.statistics is not None
    ]
    return [image for image, _ in pairs], [statistics for _, statistics in pairs]


def _check_labels(
    images: Sequence[UsableImage],
    statistics: Sequence[ImageStatistics],
    *,
    classes: Sequence[str],
    groups: Sequence[int],
) -> LabelCheck:
    return check_labels(
        [image.path for image in images],
        [image.label for image in images],
        classes=classes,
        features=_join_features(statistics),
        groups=groups,
    )


def _join_features(statistics: Sequence[ImageStatistics]) -> NDArray[np.uint8]:
    joined = b"".join(one.features for one in statistics)
    return np.frombuffer(joined, np.uint8).reshape(len(statistics), FEATURES)
