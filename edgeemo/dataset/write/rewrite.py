"""Cleaned and split copies of a folder of images.

The new folder is complete or absent, and the old one is not changed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from edgeemo.dataset.ingest.duplicates import clean_images
from edgeemo.dataset.ingest.examine import UsableImage
from edgeemo.dataset.ingest.find import find_any_files
from edgeemo.dataset.ingest.ingestion import ingest_folder
from edgeemo.dataset.ingest.judge import judge_files
from edgeemo.dataset.write.placement import (
    DATA_MARKER,
    check_destination,
    find_free_path,
    place_files,
    write_marker,
)
from edgeemo.errors import DatasetError
from edgeemo.model.tables import SPLITS, Rejected, Sample, write_rejected, write_samples
from edgeemo.utils.files import new_folder
from edgeemo.utils.progress import Silent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from edgeemo.dataset.ingest.decisions import Decisions
    from edgeemo.dataset.ingest.options import IngestOptions
    from edgeemo.dataset.write.placement import LinkMode
    from edgeemo.utils.paths import StrPath
    from edgeemo.utils.progress import Progress

REJECTED_CSV = "rejected.csv"
"""Table of the excluded files: path, reason, detail."""

SPLIT_CSV = "split.csv"
"""Table of the images: path, label, split, sha256."""


@dataclass(frozen=True, kw_only=True)
class WrittenFolder:
    """A folder that was written.

    Attributes:
        folder: The new folder.
        counts: Number of images per split ("all" without splits) and class.
        excluded: Number of excluded files per reason.
    """

    folder: Path
    counts: Mapping[str, Mapping[str, int]]
    excluded: Mapping[str, int]


def write_clean(
    root: StrPath,
    out: StrPath,
    *,
    classes: Sequence[str] | None = None,
    accept: Sequence[str] = (),
    decisions: Decisions | None = None,
    link: LinkMode = "copy",
    replace: bool = False,
    progress: Progress | None = None,
) -> WrittenFolder:
    """Write the images that training would use, and ``rejected.csv``.

    Images keep their names, and their classes unless a person decided otherwise.

    Args:
        root: A folder as `find_files` describes it, or one of images without classes.
        out: Folder to write.
        classes: Classes to take; None takes all.
        accept: Formats to accept besides JPEG, PNG and BMP.
        decisions: A person's decisions about images; None for none.
        link: How to place the files.
        replace: Whether to replace a folder that edgeemo wrote.
        progress: Receives the progress.

    Raises:
        DatasetError: If `root` cannot be used, has no usable image, or `out` cannot be written.
        MissingExtraError: If the ``data`` extra is not installed.
    """
    root = Path(root)
    out = Path(out)
    progress = progress or Silent()
    check_destination(root, out, marker=DATA_MARKER, replace=replace)
    layout = find_any_files(root, classes=classes)
    verdicts = judge_files(root, layout.files, accept=accept, progress=progress)
    if decisions:
        verdicts = decisions.apply(verdicts, labels=layout.labels, progress=progress)
    progress.stage("Finding duplicates")
    cleaned = clean_images(verdict for verdict in verdicts if isinstance(verdict, UsableImage))
    if not cleaned.images:
        raise DatasetError(f"{root}: none of {len(verdicts):,} files is usable")
    unusable = [verdict for verdict in verdicts if isinstance(verdict, Rejected)]
    paths = _keep_paths(cleaned.images, {file.path: file.label for file in layout.files})
    with new_folder(out, replace=replace) as partial:
        place_files(root, partial, paths, link=link, progress=progress)
        rejected = sorted([*unusable, *cleaned.rejected], key=lambda row: row.path)
        write_rejected(partial / REJECTED_CSV, rejected)
        write_marker(partial, "clean")
    return WrittenFolder(
        folder=out,
        counts=_count_images((p.split or "all", p.label) for p in cleaned.images),
        excluded=_count_reasons(rejected),
    )


def write_split(
    root: StrPath,
    out: StrPath,
    *,
    options: IngestOptions,
    link: LinkMode = "copy",
    replace: bool = False,
    progress: Progress | None = None,
) -> WrittenFolder:
    """Write ``train``, ``validation`` and ``test`` as training would split them.

    Also writes ``split.csv`` with the new names of the files, and ``rejected.csv`` with the old
    ones. Sub-folders of a class are kept.

    Args:
        root: A folder as `find_files` describes it.
        out: Folder to write.
        options: Formats, classes, splits and crops.
        link: How to place the files.
        replace: Whether to replace a folder that edgeemo wrote.
        progress: Receives the progress.

    Raises:
        DatasetError: As `ingest_folder`, or if `out` cannot be written.
        MissingExtraError: If the ``data`` extra is not installed.
    """
    root = Path(root)
    out = Path(out)
    progress = progress or Silent()
    check_destination(root, out, marker=DATA_MARKER, replace=replace)
    dataset = ingest_folder(root, options=options, progress=progress)
    paths = _choose_paths(dataset.samples)
    with new_folder(out, replace=replace) as partial:
        place_files(root, partial, paths, link=link, progress=progress)
        moved = [
            Sample(path=paths[one.path], label=one.label, split=one.split, sha256=one.sha256)
            for one in dataset.samples
        ]
        write_samples(partial / SPLIT_CSV, sorted(moved, key=lambda sample: sample.path))
        write_rejected(partial / REJECTED_CSV, dataset.rejected)
        write_marker(partial, "split")
    return WrittenFolder(
        folder=out,
        counts=_count_images((sample.split, sample.label) for sample in dataset.samples),
        excluded=_count_reasons(dataset.rejected),
    )


def _keep_paths(images: Sequence[UsableImage], labels: Mapping[str, str]) -> dict[str, str]:
    """Return the new path of each image: the old one, in another class folder if relabelled.

    Args:
        images: The images.
        labels: Class of the folder of each image by its path.
    """
    moved = [image for image in images if image.label != labels[image.path]]
    paths = {image.path: image.path for image in images}
    if moved:
        taken = {path.lower() for path in paths}
        depth = _find_class_depth([(path, labels[path]) for path in paths])
        for image in moved:
            parts = [*PurePosixPath(image.path).parts]
            parts[depth] = image.label
            paths[image.path] = find_free_path(PurePosixPath(*parts), taken)
    return paths


def _choose_paths(samples: Sequence[Sample]) -> dict[str, str]:
    """Return the new path of each image by the old one: SPLIT/CLASS/ and its path in the class."""
    depth = _find_class_depth([(sample.path, sample.label) for sample in samples])
    taken: set[str] = set()
    paths = {}
    for sample in samples:
        within = PurePosixPath(*PurePosixPath(sample.path).parts[depth + 1 :])
        path = find_free_path(PurePosixPath(sample.split, sample.label, within), taken)
        paths[sample.path] = path
    return paths


def _find_class_depth(images: Sequence[tuple[str, str]]) -> int:
    """Return the number of folders above the class folders.

    Args:
        images: Path and class of each image; a few may have been relabelled.
    """
    parts = [(PurePosixPath(path).parts, label) for path, label in images]
    shortest = min(len(path) for path, _ in parts)
    return max(
        range(shortest), key=lambda depth: sum(path[depth] == label for path, label in parts)
    )


def _count_images(pairs: Iterable[tuple[str, str]]) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for (split, label), count in sorted(Counter(pairs).items(), key=_sort_key):
        counts.setdefault(split, {})[label] = count
    return counts


def _sort_key(counted: tuple[tuple[str, str], int]) -> tuple[int, str]:
    (split, label), _ = counted
    return ("all", *SPLITS).index(split), label


def _count_reasons(rejected: Sequence[Rejected]) -> dict[str, int]:
    return dict(sorted(Counter(row.reason for row in rejected).items()))
