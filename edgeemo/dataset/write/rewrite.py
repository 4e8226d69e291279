"""Write the images of a folder anew: without what training leaves out, or in splits.

The new folder is whole or not there at all, and nothing in the old one is touched.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from edgeemo.dataset.ingest.duplicates import clean_images
from edgeemo.dataset.ingest.find import find_any_files
from edgeemo.dataset.ingest.ingestion import ingest_folder
from edgeemo.dataset.ingest.judge import UsableImage, judge_files
from edgeemo.dataset.write.placing import check_destination, place_files
from edgeemo.errors import DatasetError
from edgeemo.model.tables import SPLITS, Rejected, Sample, write_rejected, write_samples
from edgeemo.utils.files import new_folder
from edgeemo.utils.progress import Silent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from edgeemo.dataset.ingest.options import IngestOptions
    from edgeemo.dataset.write.placing import LinkMode
    from edgeemo.utils.progress import Progress

DATA_MARKER = ".edgeemo-data.json"
"""File in a folder that says that edgeemo made it, so that edgeemo may replace it."""

REJECTED_CSV = "rejected.csv"
"""Table of what was left out and why: path, reason, detail."""

SPLIT_CSV = "split.csv"
"""Table of what went where: path, label, split, sha256."""


@dataclass(frozen=True, kw_only=True)
class WrittenFolder:
    """What was written.

    Attributes:
        folder: The new folder.
        counts: Images per split ("all" without splits) and class.
        excluded: Number of files that are excluded, per reason.
    """

    folder: Path
    counts: Mapping[str, Mapping[str, int]]
    excluded: Mapping[str, int]


def write_clean(
    root: Path,
    out: Path,
    *,
    accept: Sequence[str] = (),
    link: LinkMode = "copy",
    replace: bool = False,
    progress: Progress | None = None,
) -> WrittenFolder:
    """Write what training would use, each file where it lay, and ``rejected.csv``.

    Args:
        root: A folder as `find_files` describes it, or one of images without classes.
        out: The folder to make.
        accept: Formats to take besides the usual ones.
        link: Whether files are copied, or linked to where they lie.
        replace: Whether a folder gives way that edgeemo has written.
        progress: Who is told how far it is.

    Raises:
        DatasetError: If `root` cannot be used, nothing in it is usable, or `out` cannot be made.
        MissingExtraError: If the ``data`` extra is not installed.
    """
    progress = progress or Silent()
    check_destination(root, out, marker=DATA_MARKER, replace=replace)
    layout = find_any_files(root)
    verdicts = judge_files(root, layout.files, accept=accept, progress=progress)
    progress.stage("Looking for duplicates")
    cleaned = clean_images(verdict for verdict in verdicts if isinstance(verdict, UsableImage))
    if not cleaned.images:
        raise DatasetError(f"{root}: none of {len(verdicts):,} files is usable")
    unusable = [verdict for verdict in verdicts if isinstance(verdict, Rejected)]
    places = {image.path: image.path for image in cleaned.images}
    with new_folder(out, replace=replace) as partial:
        place_files(root, partial, places, link=link, progress=progress)
        rejected = sorted([*unusable, *cleaned.rejected], key=lambda row: row.path)
        write_rejected(partial / REJECTED_CSV, rejected)
        write_marker(partial, "clean")
    return WrittenFolder(
        folder=out,
        counts=_counts((p.split or "all", p.label) for p in cleaned.images),
        excluded=_reasons(rejected),
    )


def write_split(
    root: Path,
    out: Path,
    *,
    options: IngestOptions,
    link: LinkMode = "copy",
    replace: bool = False,
    progress: Progress | None = None,
) -> WrittenFolder:
    """Write ``train``, ``validation`` and ``test`` as training would split them.

    Besides it writes ``split.csv``, which names the files anew, and ``rejected.csv``, which names
    them as they were. Sub-folders of a class are kept.

    Args:
        root: A folder as `find_files` describes it.
        out: The folder to make.
        options: How to split.
        link: Whether files are copied, or linked to where they lie.
        replace: Whether a folder gives way that edgeemo has written.
        progress: Who is told how far it is.

    Raises:
        DatasetError: As `ingest_folder`, or if `out` cannot be made.
        MissingExtraError: If the ``data`` extra is not installed.
    """
    progress = progress or Silent()
    check_destination(root, out, marker=DATA_MARKER, replace=replace)
    dataset = ingest_folder(root, options=options, progress=progress)
    places = _split_places(dataset.samples)
    with new_folder(out, replace=replace) as partial:
        place_files(root, partial, places, link=link, progress=progress)
        moved = [
            Sample(path=places[one.path], label=one.label, split=one.split, sha256=one.sha256)
            for one in dataset.samples
        ]
        write_samples(partial / SPLIT_CSV, sorted(moved, key=lambda sample: sample.path))
        write_rejected(partial / REJECTED_CSV, dataset.rejected)
        write_marker(partial, "split")
    return WrittenFolder(
        folder=out,
        counts=_counts((sample.split, sample.label) for sample in dataset.samples),
        excluded=_reasons(dataset.rejected),
    )


def _split_places(samples: Sequence[Sample]) -> dict[str, str]:
    """Where each image goes, by where it is: SPLIT/CLASS/ and its path within the class."""
    depth = _class_depth(samples)
    taken: set[str] = set()
    places = {}
    for sample in samples:
        within = PurePosixPath(*PurePosixPath(sample.path).parts[depth + 1 :])
        place = find_free_path(PurePosixPath(sample.split, sample.label, within), taken)
        places[sample.path] = place
    return places


def _class_depth(samples: Sequence[Sample]) -> int:
    """How many folders are above the class folders."""
    parts = [(PurePosixPath(sample.path).parts, sample.label) for sample in samples]
    shortest = min(len(path) for path, _ in parts)
    return next(
        depth for depth in range(shortest) if all(path[depth] == label for path, label in parts)
    )


def find_free_path(place: PurePosixPath, taken: set[str]) -> str:
    """The place, or with a number at its name where it is taken.

    Args:
        place: Where a file should go.
        taken: Places in small letters; this one is added.
    """
    number, name = 1, place
    while str(name).lower() in taken:
        number += 1
        name = place.with_name(f"{place.stem}-{number}{place.suffix}")
    taken.add(str(name).lower())  # some file systems don't tell the cases apart
    return str(name)


def write_marker(folder: Path, kind: str) -> None:
    """Leave `DATA_MARKER` in a folder in the making.

    Args:
        folder: The folder.
        kind: The command that makes it.
    """
    (folder / DATA_MARKER).write_text(
        json.dumps({"made_by": "edgeemo data", "kind": kind}), "utf-8"
    )


def _counts(pairs: Iterable[tuple[str, str]]) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for (split, label), count in sorted(Counter(pairs).items(), key=_turn):
        counts.setdefault(split, {})[label] = count
    return counts


def _turn(counted: tuple[tuple[str, str], int]) -> tuple[int, str]:
    (split, label), _ = counted
    return ("all", *SPLITS).index(split), label


def _reasons(rejected: Sequence[Rejected]) -> dict[str, int]:
    return dict(sorted(Counter(row.reason for row in rejected).items()))
