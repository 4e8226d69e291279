"""The check of a folder of images before training. The folder is not changed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeemo.bulk.bucket_path import make_path
from edgeemo.bulk.run import Place, work_through
from edgeemo.dataset.check.collected import CollectedFiles
from edgeemo.dataset.check.findings import derive_findings
from edgeemo.dataset.check.groups import find_identical_groups, find_near_duplicate_groups
from edgeemo.dataset.check.inspect_work import InspectWork
from edgeemo.dataset.check.labels import check_labels
from edgeemo.dataset.check.report import CheckReport
from edgeemo.dataset.check.shortcuts import find_shortcuts
from edgeemo.dataset.check.similar_images import SimilarImages
from edgeemo.dataset.check.tallies import (
    count_faces,
    count_images,
    find_odd,
    measure_sizes,
    sort_counts,
)
from edgeemo.dataset.face_sample import sample_faces
from edgeemo.dataset.ingest.duplicates import clean_images
from edgeemo.dataset.ingest.find import find_any_files
from edgeemo.utils.progress import Silent

if TYPE_CHECKING:
    from edgeemo.bulk.parts import Parts
    from edgeemo.dataset.check.inspection import InspectedFile
    from edgeemo.dataset.ingest.examine import UsableImage
    from edgeemo.dataset.ingest.find import FolderLayout
    from edgeemo.imaging.faces import FaceDetector
    from edgeemo.model.tables import Rejected
    from edgeemo.utils.paths import StrPath
    from edgeemo.utils.progress import Progress

NOT_REQUESTED = "not requested"
"""Reason for detecting no faces."""


def check_folder(
    root: StrPath,
    *,
    classes: Sequence[str] | None = None,
    accept: Sequence[str] = (),
    detector: FaceDetector | None = None,
    detector_name: str = "",
    faces_skipped: str = NOT_REQUESTED,
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
    layout = find_any_files(make_path(root), classes=classes)
    work = InspectWork(root, accept=accept, detector=detector, detector_name=detector_name)
    return check_files(layout, work, faces_skipped=faces_skipped, progress=progress)


def check_files(
    layout: FolderLayout,
    work: InspectWork,
    *,
    place: Place | None = None,
    parts: Parts[InspectedFile] | None = None,
    faces_skipped: str = NOT_REQUESTED,
    progress: Progress | None = None,
) -> CheckReport:
    """Check the files of a folder, on this machine or a cluster.

    Args:
        layout: The files.
        work: Their inspection.
        place: Where it is done; None for all cores of this machine.
        parts: Keeps the finished blocks; None keeps nothing.
        faces_skipped: Reason for detecting no faces, where `work` detects none.
        progress: Receives the progress.

    Raises:
        ClusterError: If the cluster cannot be used or is lost.
        DatasetError: If the files are not those of the run that is continued.
        MissingExtraError: If the ``data`` extra is not installed.
    """
    place, progress = place or Place(), progress or Silent()
    collected = _inspect(layout, work, place=place, parts=parts, progress=progress)
    images, numbers = collected.images, collected.numbers
    progress.stage("Finding duplicates")
    similar = SimilarImages(collected)
    progress.stage("Finding shortcuts and suspicious labels")
    faces = face_sample = None
    if work.detects_faces:
        faces = count_faces(
            images, numbers["faces"], labels=layout.labels, detector=work.detector_name
        )
    else:
        progress.stage("Searching a sample for faces")
        face_sample = sample_faces(_Paths(layout.root, images))
    labels = [image.label for image in images]
    report = CheckReport(
        root=layout.root,
        labels=layout.labels,
        splits=layout.splits,
        found=collected.found,
        usable=len(images),
        counts=count_images(images, layout),
        formats=sort_counts(collected.formats),
        modes=sort_counts(collected.modes),
        sizes=measure_sizes(numbers),
        unusable=tuple(collected.unusable),
        disguised=tuple(collected.disguised),
        processed=tuple(collected.processed),
        processing=collected.shares.shares,
        odd=tuple(find_odd(images, numbers)),
        identical=find_identical_groups(images),
        near_duplicates=find_near_duplicate_groups(images, similar.numbers),
        excluded=_list_excluded(images, similar),
        shortcuts=find_shortcuts(numbers, labels, layout.labels),
        label_check=check_labels(
            [image.path for image in images],
            labels,
            classes=layout.labels,
            features=collected.features,
            groups=similar.numbers,
        ),
        faces=faces,
        face_sample=face_sample,
        faces_skipped="" if work.detects_faces else faces_skipped,
        findings=(),
        layout=layout.warnings,
    )
    return replace(report, findings=derive_findings(report))


def _inspect(
    layout: FolderLayout,
    work: InspectWork,
    *,
    place: Place,
    parts: Parts[InspectedFile] | None,
    progress: Progress,
) -> CollectedFiles:
    """Return the inspected files."""
    collected, files = CollectedFiles(len(layout.files)), iter(layout.files)
    blocks = work_through(
        work,
        layout.files,
        place=place,
        parts=parts,
        stage="Reading the images",
        progress=progress,
    )
    with closing(blocks):
        for block in blocks:
            for inspected in block.results:
                collected.add(next(files), inspected)
    return collected


def _list_excluded(images: Sequence[UsableImage], similar: SimilarImages) -> tuple[Rejected, ...]:
    cleaned = clean_images(images, group=similar.regroup)
    return tuple(sorted(cleaned.rejected, key=lambda row: row.path))


class _Paths(Sequence[Path]):
    """The paths of images, each made when it is needed."""

    def __init__(self, root: Path, images: Sequence[UsableImage]) -> None:
        self._root, self._images = root, images

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: Any) -> Any:
        return self._root / self._images[index].path
