"""Cropping as work of `edgeemo.bulk`: workers write the crops, and return the rows of images."""

from __future__ import annotations

import io
import os
from contextlib import closing
from dataclasses import asdict, dataclass
from dataclasses import replace as replace_fields
from pathlib import Path, PurePosixPath
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from edgeemo.bulk.bucket_path import make_path
from edgeemo.bulk.isolated import IsolatedWork
from edgeemo.bulk.read_ahead import count_readers
from edgeemo.bulk.work import Work
from edgeemo.dataset.ingest.examine import examine_file, reject_image
from edgeemo.dataset.ingest.formats import is_grey, list_accepted_formats
from edgeemo.dataset.ingest.judge import NO_FACE
from edgeemo.dataset.pool import BATCH, iterate_in_threads
from edgeemo.dataset.write.crop_plan import PlannedCrop
from edgeemo.dataset.write.crop_table import ONE_FACE, SEVERAL_FACES, CropRow, from_table, to_table
from edgeemo.errors import ImageError
from edgeemo.imaging.decode import open_image, stretch
from edgeemo.imaging.faces import build_detector, crop_face, detect_faces
from edgeemo.imaging.preprocess import decode
from edgeemo.imaging.suffixes import is_bucket
from edgeemo.model.input_spec import InputSpec
from edgeemo.model.tables import Rejected
from edgeemo.utils.file_names import fit_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from PIL import Image

    from edgeemo.dataset.ingest.find import LabelledFile
    from edgeemo.dataset.write.crop_folder import CropFolder
    from edgeemo.imaging.faces import Face, FaceDetector
    from edgeemo.model.detector_file import DetectorFile
    from edgeemo.model.face_settings import FaceSettings

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


class CropWork(Work[PlannedCrop, "tuple[CropRow, ...]"]):
    """Crops images into a folder; several threads may do so at once.

    Args:
        root: Absolute path of the folder of the images, or its address in a bucket.
        folder: Folder that gets the crops.
        options: Options of cropping.
        isolated: Whether to crop in child processes on this machine, at which an image may crash
            or hang; a worker of a cluster does so anyway.

    Attributes:
        folder: Folder that gets the crops.
        options: Options of cropping.
    """

    def __init__(
        self, root: str, folder: CropFolder, options: CropOptions, *, isolated: bool = False
    ) -> None:
        self._root, self.folder, self.options = root, folder, options
        self._isolated = isolated
        self._detector: FaceDetector | None = None
        settings = replace_fields(options.faces, cropped=False)
        self._formats = list_accepted_formats(options.accept)
        side = options.size or _SIDE
        self._specs = {
            grey: InputSpec(height=side, width=side, channels=1 if grey else 3, faces=settings)
            for grey in (True, False)
        }

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_detector": None, "_isolated": False}

    def describe(self) -> Mapping[str, object]:
        """See `edgeemo.bulk.work.Work`."""
        options = self.options
        return {
            "work": "crop",
            "images": self._root,
            "faces": asdict(options.faces),
            "face_model_sha256": options.detector_file and options.detector_file.sha256,
            "accept": sorted(options.accept),
            "all_faces": options.all_faces,
            "size": options.size,
        }

    def open(self) -> None:
        """See `edgeemo.bulk.work.Work`.

        Raises:
            DatasetError: If this process does not see the folder of the crops.
            FaceModelError: If the detector's file cannot be used.
            MissingExtraError: If the face detector is not installed.
        """
        self.folder.check_seen()
        self._detector = build_detector(self.options.faces, file=self.options.detector_file)

    def run(self, items: Iterable[PlannedCrop], *, workers: int) -> Iterator[tuple[CropRow, ...]]:
        """See `edgeemo.bulk.work.Work`."""
        if self._isolated:
            return self._run_isolated(items, workers)
        readers = count_readers(make_path(self._root), workers)
        size = (
            1 if readers > workers else BATCH
        )  # a child gets few images, all of which it waits for
        return iterate_in_threads(items, self._crop_batch, workers=readers, batch_size=size)

    def fail(self, item: PlannedCrop, reason: str) -> tuple[CropRow, ...]:
        """See `edgeemo.bulk.work.Work`."""
        path = os.fsencode(item.image.path).decode("utf-8", "replace")
        return (CropRow(image=path, outcome="damaged", detail=reason),)

    def find_path(self, item: PlannedCrop) -> str:
        """See `edgeemo.bulk.work.Work`."""
        return "" if is_bucket(self._root) else str(Path(self._root) / item.image.path)

    def to_table(self, results: Sequence[tuple[CropRow, ...]]) -> Any:
        """See `edgeemo.bulk.work.Work`."""
        return to_table(results)

    def from_table(self, table: Any) -> list[tuple[CropRow, ...]]:
        """See `edgeemo.bulk.work.Work`."""
        return from_table(table)

    def _run_isolated(
        self, items: Iterable[PlannedCrop], workers: int
    ) -> Iterator[tuple[CropRow, ...]]:
        """Crop in a child process per thread, each begun by its thread."""
        free: SimpleQueue[IsolatedWork[PlannedCrop, tuple[CropRow, ...]] | None] = SimpleQueue()
        for _ in range(workers):
            free.put(None)

        def crop(batch: Sequence[PlannedCrop]) -> list[tuple[CropRow, ...]]:
            child = free.get()
            try:
                child = child or IsolatedWork(self)
                return child.run(batch)
            finally:
                free.put(child)

        try:
            with closing(iterate_in_threads(items, crop, workers=workers)) as results:
                yield from results
        finally:
            for _ in range(workers):
                if child := free.get():
                    child.close()

    def _crop_batch(self, batch: Sequence[PlannedCrop]) -> list[tuple[CropRow, ...]]:
        return [*map(self._crop_file, batch)]

    def _crop_file(self, planned: PlannedCrop) -> tuple[CropRow, ...]:
        """Return the rows of an image, at least one."""
        file = planned.image
        examined = examine_file(make_path(self._root), file, formats=self._formats)
        if isinstance(examined.verdict, Rejected):
            verdict = examined.verdict
            return (CropRow(image=verdict.path, outcome=verdict.reason, detail=verdict.detail),)
        try:
            return self._crop_content(file, planned.crop, examined.content)
        except ImageError as error:  # at a larger scale than it was judged at
            verdict = reject_image(file.path, error)
            return (CropRow(image=file.path, outcome=verdict.reason, detail=verdict.detail),)

    def _crop_content(self, file: LabelledFile, path: str, content: bytes) -> tuple[CropRow, ...]:
        assert self._detector is not None
        with open_image(content) as opened:
            spec, width = self._specs[is_grey(opened.mode)], opened.size[0]
            photo = decode(opened, spec)
        found = detect_faces(self._detector, photo)
        if not found:
            detail = f"{self.options.faces.detector} detects none"
            return (CropRow(image=file.path, outcome=NO_FACE, detail=detail),)
        written = found if self.options.all_faces else found[:1]
        names = [self._name_crop(path, number) for number in range(1, len(written) + 1)]
        for face, name in zip(written, names, strict=True):
            self.folder.write(name, self._encode_png(crop_face(photo, face, spec)))
        return tuple(
            _make_row(file, name, face.scale(width / photo.width), faces=len(found))
            for face, name in zip(written, names, strict=True)
        )

    def _name_crop(self, path: str, number: int) -> str:
        if not self.options.all_faces:
            return path
        whole = PurePosixPath(path)
        return str(whole.with_name(fit_name(whole.stem, f"-{number}.png")))

    def _encode_png(self, crop: Image.Image) -> bytes:
        size, stream = self.options.size, io.BytesIO()
        # No profile: pixels are sRGB by now, and the profile that says so holds the time of day.
        (stretch(crop, size, size) if size else crop).save(stream, "PNG", icc_profile=None)
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
