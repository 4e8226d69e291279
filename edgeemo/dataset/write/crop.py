"""Crops of the faces in a folder of photos, each as an image of its own.

The crops are those of `edgeemo.imaging.preprocess`, before resizing: training with the new folder
equals training with the photos, except that faces are detected once. The new folder is complete or
absent (`edgeemo.dataset.write.crop_place`), and the old one is not changed.
"""

from __future__ import annotations

import tempfile
from contextlib import closing, contextmanager
from dataclasses import dataclass
from dataclasses import replace as replace_fields
from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.bulk.bucket_path import make_path
from edgeemo.bulk.run import Place, work_through
from edgeemo.dataset.ingest.find import find_any_files
from edgeemo.dataset.ingest.fingerprint import require_libraries
from edgeemo.dataset.ingest.image_list import get_listed
from edgeemo.dataset.write.crop_place import CropPlace, has_rows, resolve
from edgeemo.dataset.write.crop_plan import PlannedCrops
from edgeemo.dataset.write.crop_table import CROP_CSV, CropCount, CropTable
from edgeemo.dataset.write.crop_work import CropOptions, CropWork
from edgeemo.dataset.write.faces_json import FACES_JSON, write_faces_json
from edgeemo.dataset.write.placement import DATA_MARKER, write_marker
from edgeemo.errors import DatasetError
from edgeemo.imaging.faces import build_detector
from edgeemo.model.detector_file import FACE_MODEL
from edgeemo.utils.progress import Silent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from edgeemo.dataset.ingest.find import FolderLayout
    from edgeemo.model.face_settings import FaceSettings
    from edgeemo.utils.paths import StrPath
    from edgeemo.utils.progress import Progress

__all__ = ["CropOptions", "CropResult", "write_crops"]

_TABLES = (CROP_CSV, FACE_MODEL, FACES_JSON, DATA_MARKER)
"""Files beside the crops, the one last that declares the folder complete."""


@dataclass(frozen=True, kw_only=True)
class CropResult:
    """A folder of crops that was written.

    Attributes:
        folder: Path of the new folder, or its address in a bucket.
        faces: The face settings for cropped images, as in ``faces.json``.
        counts: Per split ("all" without splits) and class the number of images, of those with
            one face, several faces and none, of unusable ones, and of crops.
    """

    folder: str
    faces: FaceSettings
    counts: Mapping[str, Mapping[str, Mapping[CropCount, int]]]


def write_crops(
    root: StrPath,
    out: StrPath | CropPlace,
    *,
    options: CropOptions,
    replace: bool = False,
    place: Place | None = None,
    progress: Progress | None = None,
) -> CropResult:
    """Write the faces of a folder's images as PNG files, into the same sub-folders.

    Also writes ``crop.csv`` and ``faces.json``.

    Args:
        root: A folder as `find_files` describes it, or one of images without classes.
        out: Folder to write.
        options: Options of cropping.
        replace: Whether to replace a folder that edgeemo wrote; ignored for a `CropPlace`.
        place: Where the work is done; None for this machine.
        progress: Receives the progress.

    Raises:
        ClusterError: If the cluster cannot be used or is lost.
        DatasetError: If `root` cannot be used, no image in it has a face, or `out` cannot be
            written.
        FaceModelError: If the detector's file cannot be used.
        MissingExtraError: If the ``data`` extra or the face detector is not installed.
    """
    root = make_path(root)
    target = (
        out if isinstance(out, CropPlace) else CropPlace(out=str(make_path(out)), replace=replace)
    )
    progress = progress or Silent()
    require_libraries()
    build_detector(options.faces, file=options.detector_file)
    target.check(str(root))
    layout = find_any_files(root, classes=options.classes)
    with _explain_write_errors(target.out), target.open() as folder:
        work = CropWork(resolve(str(root)), folder, options, isolated=target.is_kept)
        counts = _fill(layout, work, target, place=place or Place(), progress=progress)
    return CropResult(
        folder=target.out,
        faces=replace_fields(options.faces, cropped=True),
        counts=counts,
    )


def _fill(
    layout: FolderLayout,
    work: CropWork,
    target: CropPlace,
    *,
    place: Place,
    progress: Progress,
) -> Mapping[str, Mapping[str, Mapping[CropCount, int]]]:
    """Write the crops and the tables into a folder, and return the counts."""
    options = work.options
    with tempfile.TemporaryDirectory(prefix="ee-") as name:
        tables = Path(name)
        with (tables / CROP_CSV).open("w", newline="", encoding="utf-8") as stream:
            table = CropTable(stream)
            _crop_files(layout, work, table, target=target, place=place, progress=progress)
        if not table.count_crops():
            work.folder.clear()
            raise DatasetError(
                f"{layout.root}: {options.faces.detector} detects no face in any of "
                f"{len(layout.files):,} files"
            )
        write_faces_json(tables, options.faces, options.detector_file)
        write_marker(tables, "crop")
        work.folder.publish(tables, _TABLES)
    return table.count(layout.labels)


def _crop_files(
    layout: FolderLayout,
    work: CropWork,
    table: CropTable,
    *,
    target: CropPlace,
    place: Place,
    progress: Progress,
) -> None:
    planned = PlannedCrops(layout.files, by_label=bool(get_listed(layout.root)))
    work.folder.make_folders(each.crop for each in planned)
    parts = target.open_rows(work)
    files = iter(layout.files)
    try:
        blocks = work_through(
            work,
            planned,
            place=place,
            parts=parts,
            stage="Cropping the faces",
            progress=progress,
        )
        with closing(blocks):
            for block in blocks:
                work.folder.check_owner()
                for rows in block.results:
                    table.add(next(files), rows)
    except BaseException:
        if has_rows(work.folder):
            progress.note("Finished images are kept; --resume continues from them.")
        raise


@contextmanager
def _explain_write_errors(out: str) -> Iterator[None]:
    """Turn errors of the file system into one line that names the requested folder."""
    try:
        yield
    except OSError as error:
        raise DatasetError(f"{out}: cannot be written: {error.strerror or error}") from None
