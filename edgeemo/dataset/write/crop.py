"""Crops of the faces in a folder of photos, each as an image of its own.

The crops are those of `edgeemo.imaging.preprocess`, before resizing: training with the new folder
equals training with the photos, except that faces are detected once. The new folder is complete
or absent, and the old one is not changed.
"""

from __future__ import annotations

import io
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import replace as replace_fields
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from edgeemo.dataset.ingest.examine import examine_file, reject_image
from edgeemo.dataset.ingest.find import find_any_files
from edgeemo.dataset.ingest.fingerprint import require_libraries
from edgeemo.dataset.ingest.formats import is_grey, list_accepted_formats
from edgeemo.dataset.ingest.judge import NO_FACE
from edgeemo.dataset.pool import map_in_threads
from edgeemo.dataset.write.crop_table import (
    CROP_CSV,
    ONE_FACE,
    SEVERAL_FACES,
    CropCount,
    CropRow,
    count_rows,
    write_rows,
)
from edgeemo.dataset.write.faces_json import write_faces_json
from edgeemo.dataset.write.placement import (
    DATA_MARKER,
    check_destination,
    find_free_path,
    write_marker,
)
from edgeemo.errors import DatasetError, ImageError
from edgeemo.imaging.decode import open_image, stretch
from edgeemo.imaging.faces import build_detector, crop_face, detect_faces
from edgeemo.imaging.preprocess import decode
from edgeemo.model.input_spec import InputSpec
from edgeemo.model.tables import Rejected
from edgeemo.utils.file_names import fit_name
from edgeemo.utils.files import new_folder
from edgeemo.utils.progress import Silent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from PIL import Image

    from edgeemo.dataset.ingest.find import LabelledFile
    from edgeemo.imaging.faces import Face, FaceDetector
    from edgeemo.model.detector_file import DetectorFile
    from edgeemo.model.face_settings import FaceSettings
    from edgeemo.utils.paths import StrPath
    from edgeemo.utils.progress import Progress

_SIDE = 48  # of a network's input without a given size: photos are decoded as large as it needs


@dataclass(frozen=True, kw_only=True)
class CropOptions:
    """Options of cropping.

    Attributes:
        faces: Settings of the face detector, and the margin around a face.
        detector_file: The detector's own file, if it has one.
        classes: Classes to take; None takes all.
        accept: Formats to accept besides JPEG, PNG and BMP.
        all_faces: Whether to write every face of an image, not only the largest.
        size: Side of the crops in pixels; None for the size of the face in the decoded image,
            which for a JPEG depends on `edgeemo.imaging.preprocess.PHOTO_SIDE`.
    """

    faces: FaceSettings
    detector_file: DetectorFile | None = None
    classes: Sequence[str] | None = None
    accept: Sequence[str] = ()
    all_faces: bool = False
    size: int | None = None


@dataclass(frozen=True, kw_only=True)
class CropResult:
    """A folder of crops that was written.

    Attributes:
        folder: The new folder.
        faces: The face settings for cropped images, as in ``faces.json``.
        counts: Per split ("all" without splits) and class the number of images, of those with
            one face, several faces and none, of unusable ones, and of crops.
    """

    folder: Path
    faces: FaceSettings
    counts: Mapping[str, Mapping[str, Mapping[CropCount, int]]]


def write_crops(
    root: StrPath,
    out: StrPath,
    *,
    options: CropOptions,
    replace: bool = False,
    progress: Progress | None = None,
) -> CropResult:
    """Write the faces of a folder's images as PNG files, into the same sub-folders.

    Also writes ``crop.csv`` and ``faces.json``.

    Args:
        root: A folder as `find_files` describes it, or one of images without classes.
        out: Folder to write.
        options: Options of cropping.
        replace: Whether to replace a folder that edgeemo wrote.
        progress: Receives the progress.

    Raises:
        DatasetError: If `root` cannot be used, no image in it has a face, or `out` cannot be
            written.
        FaceModelError: If the detector's file cannot be used.
        MissingExtraError: If the ``data`` extra or the face detector is not installed.
    """
    root = Path(root)
    out = Path(out)
    progress = progress or Silent()
    require_libraries()
    detector = build_detector(options.faces, file=options.detector_file)
    check_destination(root, out, marker=DATA_MARKER, replace=replace)
    layout = find_any_files(root, classes=options.classes)
    with _explain_write_errors(out), new_folder(out, replace=replace) as partial:
        cropper = _Cropper(root, partial, options, detector)
        progress.stage("Cropping the faces", total=len(layout.files))
        results = map_in_threads(cropper.plan(layout.files), cropper.crop_batch, progress=progress)
        if not any(row.crop for rows in results for row in rows):
            raise DatasetError(
                f"{root}: {options.faces.detector} detects no face in any of "
                f"{len(layout.files):,} files"
            )
        write_rows(partial / CROP_CSV, (row for rows in results for row in rows))
        write_faces_json(partial, options.faces, options.detector_file)
        write_marker(partial, "crop")
    return CropResult(
        folder=out,
        faces=replace_fields(options.faces, cropped=True),
        counts=count_rows(layout.files, results, layout.labels),
    )


class _Cropper:
    """Crops images of one folder into another; several threads may use one cropper."""

    def __init__(
        self, root: Path, folder: Path, options: CropOptions, detector: FaceDetector
    ) -> None:
        self._root, self._folder, self._options = root, folder, options
        self._detector = detector
        settings = replace_fields(options.faces, cropped=False)
        self._formats = list_accepted_formats(options.accept)
        side = options.size or _SIDE
        self._specs = {
            grey: InputSpec(height=side, width=side, channels=1 if grey else 3, faces=settings)
            for grey in (True, False)
        }

    def plan(self, files: Sequence[LabelledFile]) -> list[tuple[LabelledFile, str]]:
        """Return each file with the path of its crop, and create the folders."""
        taken: set[str] = set()
        paths = [
            find_free_path(PurePosixPath(file.path).with_suffix(".png"), taken) for file in files
        ]
        for folder in {(self._folder / path).parent for path in paths}:
            folder.mkdir(parents=True, exist_ok=True)
        return list(zip(files, paths, strict=True))

    def crop_batch(self, planned: Sequence[tuple[LabelledFile, str]]) -> list[list[CropRow]]:
        """Crop some images and return the rows of each, at least one."""
        return [self._crop_file(file, path) for file, path in planned]

    def _crop_file(self, file: LabelledFile, path: str) -> list[CropRow]:
        examined = examine_file(self._root, file, formats=self._formats)
        if isinstance(examined.verdict, Rejected):
            verdict = examined.verdict
            return [CropRow(image=verdict.path, outcome=verdict.reason, detail=verdict.detail)]
        try:
            return self._crop_content(file, path, examined.content)
        except ImageError as error:  # at a larger scale than it was judged at
            verdict = reject_image(file.path, error)
            return [CropRow(image=file.path, outcome=verdict.reason, detail=verdict.detail)]

    def _crop_content(self, file: LabelledFile, path: str, content: bytes) -> list[CropRow]:
        with open_image(content) as opened:
            spec, width = self._specs[is_grey(opened.mode)], opened.size[0]
            photo = decode(opened, spec)
        found = detect_faces(self._detector, photo)
        if not found:
            detail = f"{self._options.faces.detector} detects none"
            return [CropRow(image=file.path, outcome=NO_FACE, detail=detail)]
        written = found if self._options.all_faces else found[:1]
        names = [self._name_crop(path, number) for number in range(1, len(written) + 1)]
        for face, name in zip(written, names, strict=True):
            (self._folder / name).write_bytes(self._encode_png(crop_face(photo, face, spec)))
        return [
            _make_row(file, name, face.scale(width / photo.width), faces=len(found))
            for face, name in zip(written, names, strict=True)
        ]

    def _name_crop(self, path: str, number: int) -> str:
        if not self._options.all_faces:
            return path
        whole = PurePosixPath(path)
        return str(whole.with_name(fit_name(whole.stem, f"-{number}.png")))

    def _encode_png(self, crop: Image.Image) -> bytes:
        size, stream = self._options.size, io.BytesIO()
        (stretch(crop, size, size) if size else crop).save(stream, "PNG")
        return stream.getvalue()


def _make_row(file: LabelledFile, name: str, face: Face, *, faces: int) -> CropRow:
    return CropRow(
        image=file.path,
        crop=name,
        outcome=ONE_FACE if faces == 1 else SEVERAL_FACES,
        faces=faces,
        left=face.left,
        top=face.top,
        side=face.side,
    )


@contextmanager
def _explain_write_errors(out: Path) -> Iterator[None]:
    """Turn errors of the file system into one line that names the requested folder."""
    try:
        yield
    except OSError as error:
        raise DatasetError(f"{out}: cannot be written: {error.strerror or error}") from None
