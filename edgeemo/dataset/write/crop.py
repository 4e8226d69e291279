"""Write the faces of photos anew, each as an image of its own.

The crops are those of `edgeemo.imaging.preprocess`, before resizing: training with the new folder
equals training with the photos, except that faces are found once. The new folder is complete
or absent, and nothing in the old one changes.
"""

from __future__ import annotations

import io
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import replace as changed
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from edgeemo.dataset.ingest.find import find_any_files
from edgeemo.dataset.ingest.judge import (
    NO_FACE,
    accepted_formats,
    examine,
    is_grey,
    require_imagehash,
)
from edgeemo.dataset.ingest.pool import map_in_threads
from edgeemo.dataset.write.crop_table import (
    CROP_CSV,
    ONE_FACE,
    SEVERAL_FACES,
    CropCount,
    CropRow,
    count_rows,
    write_rows,
)
from edgeemo.dataset.write.cropped import write_faces_json
from edgeemo.dataset.write.placing import check_destination
from edgeemo.dataset.write.rewrite import DATA_MARKER, find_free_path, write_marker
from edgeemo.errors import DatasetError, ImageError
from edgeemo.imaging.decode import open_image, stretch
from edgeemo.imaging.faces import build_detector, crop_face
from edgeemo.imaging.preprocess import decode
from edgeemo.model.spec import InputSpec
from edgeemo.model.tables import Rejected
from edgeemo.utils.files import new_folder
from edgeemo.utils.progress import Silent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from PIL import Image

    from edgeemo.dataset.ingest.find import LabelledFile
    from edgeemo.imaging.faces import Face, FaceDetector
    from edgeemo.model.detector_file import DetectorFile
    from edgeemo.model.face_settings import FaceSettings
    from edgeemo.utils.progress import Progress

_SIDE = 48  # of a network, where no size is named: a photo is decoded as large as that needs it


@dataclass(frozen=True, kw_only=True)
class CropOptions:
    """How to crop.

    Attributes:
        faces: The face detector's settings, and the margin around a face.
        detector_file: The detector's own file, where it has one.
        accept: Formats to take besides the usual ones.
        all_faces: Whether every face of an image is written, not the largest alone.
        size: Side of the crops in pixels; None for as large as they are in the image, a JPEG
            being decoded no larger than `edgeemo.imaging.preprocess.PHOTO_SIDE` asks for.
    """

    faces: FaceSettings
    detector_file: DetectorFile | None = None
    accept: Sequence[str] = ()
    all_faces: bool = False
    size: int | None = None


@dataclass(frozen=True, kw_only=True)
class CropResult:
    """What was written.

    Attributes:
        folder: The new folder.
        faces: How faces were found, for images that are crops, as ``faces.json`` has it.
        counts: Per split ("all" without splits) and class: images, those with one face, with
            several, with none, those that cannot be used, and the crops that were written.
    """

    folder: Path
    faces: FaceSettings
    counts: Mapping[str, Mapping[str, Mapping[CropCount, int]]]


def write_crops(
    root: Path,
    out: Path,
    *,
    options: CropOptions,
    replace: bool = False,
    progress: Progress | None = None,
) -> CropResult:
    """Write the faces of a folder's images as PNG files, where the images lay.

    Besides it writes ``crop.csv`` and ``faces.json``.

    Args:
        root: A folder as `find_files` describes it, or one of images without classes.
        out: The folder to make.
        options: How to crop.
        replace: Whether a folder gives way that edgeemo has written.
        progress: Who is told how far it is.

    Raises:
        DatasetError: If `root` cannot be used, no image in it has a face, or `out` cannot be
            made.
        FaceModelError: If the detector's file cannot be used.
        MissingExtraError: If the ``data`` extra or the face detector is not installed.
    """
    progress = progress or Silent()
    require_imagehash()
    detector = build_detector(options.faces, file=options.detector_file)
    check_destination(root, out, marker=DATA_MARKER, replace=replace)
    layout = find_any_files(root)
    with _explained(out), new_folder(out, replace=replace) as partial:
        work = _Cropper(root, partial, options, detector)
        progress.stage("Cropping the faces", total=len(layout.files))
        results = map_in_threads(work.planned(layout.files), work.batch, progress=progress)
        if not any(row.crop for rows in results for row in rows):
            raise DatasetError(
                f"{root}: {options.faces.detector} finds no face in any of "
                f"{len(layout.files):,} files"
            )
        write_rows(partial / CROP_CSV, (row for rows in results for row in rows))
        write_faces_json(partial, options.faces, options.detector_file)
        write_marker(partial, "crop")
    return CropResult(
        folder=out,
        faces=changed(options.faces, cropped=True),
        counts=count_rows(layout.files, results, layout.labels),
    )


class _Cropper:
    """Crops images of one folder into another; several threads may use it."""

    def __init__(
        self, root: Path, folder: Path, options: CropOptions, detector: FaceDetector
    ) -> None:
        self._root, self._folder, self._options = root, folder, options
        self._detector = detector
        settings = changed(options.faces, cropped=False)
        self._formats = accepted_formats(options.accept)
        side = options.size or _SIDE
        self._specs = {
            grey: InputSpec(height=side, width=side, channels=1 if grey else 3, faces=settings)
            for grey in (True, False)
        }

    def planned(self, files: Sequence[LabelledFile]) -> list[tuple[LabelledFile, str]]:
        """Each file, and its place in the new folder; the folders are made."""
        taken: set[str] = set()
        places = [
            find_free_path(PurePosixPath(file.path).with_suffix(".png"), taken) for file in files
        ]
        for folder in {(self._folder / place).parent for place in places}:
            folder.mkdir(parents=True, exist_ok=True)
        return list(zip(files, places, strict=True))

    def batch(self, planned: Sequence[tuple[LabelledFile, str]]) -> list[list[CropRow]]:
        """Crop some images; of each at least one row."""
        return [self._one(file, place) for file, place in planned]

    def _one(self, file: LabelledFile, place: str) -> list[CropRow]:
        examined = examine(self._root, file, formats=self._formats)
        if isinstance(examined.verdict, Rejected):
            verdict = examined.verdict
            return [CropRow(image=verdict.path, outcome=verdict.reason, detail=verdict.detail)]
        try:
            return self._crop(file, place, examined.content)
        except ImageError as error:  # at a larger scale than it was judged at
            detail = str(error).removeprefix("image: ")
            return [CropRow(image=file.path, outcome="damaged", detail=detail)]

    def _crop(self, file: LabelledFile, place: str, content: bytes) -> list[CropRow]:
        with open_image(content) as opened:
            spec, width = self._specs[is_grey(opened.mode)], opened.size[0]
            photo = decode(opened, spec)
        found = self._detector.detect(photo)
        if not found:
            detail = f"{self._options.faces.detector} finds none"
            return [CropRow(image=file.path, outcome=NO_FACE, detail=detail)]
        written = found if self._options.all_faces else found[:1]
        names = [self._name(place, number) for number in range(1, len(written) + 1)]
        for face, name in zip(written, names, strict=True):
            (self._folder / name).write_bytes(self._png(crop_face(photo, face, spec)))
        return [
            _row(file, name, face.scale(width / photo.width), faces=len(found))
            for face, name in zip(written, names, strict=True)
        ]

    def _name(self, place: str, number: int) -> str:
        if not self._options.all_faces:
            return place
        path = PurePosixPath(place)
        return str(path.with_name(f"{path.stem}-{number}.png"))

    def _png(self, crop: Image.Image) -> bytes:
        size, stream = self._options.size, io.BytesIO()
        (stretch(crop, size, size) if size else crop).save(stream, "PNG")
        return stream.getvalue()


def _row(file: LabelledFile, name: str, face: Face, *, faces: int) -> CropRow:
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
def _explained(out: Path) -> Iterator[None]:
    """A full disk and the like in one line that names the folder as the user knows it."""
    try:
        yield
    except OSError as error:
        raise DatasetError(f"{out}: cannot be written: {error.strerror or error}") from None
