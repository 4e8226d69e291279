"""Judge files by their content, on all cores.

Threads do the work: Pillow decodes outside the interpreter's lock, so large images use every core,
and an image of 48 pixels takes a millisecond either way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.dataset.ingest.examine import examine_file, reject_image
from edgeemo.dataset.ingest.fingerprint import require_libraries
from edgeemo.dataset.ingest.formats import list_accepted_formats
from edgeemo.dataset.pool import map_in_threads
from edgeemo.errors import ImageError
from edgeemo.imaging.decode import open_image
from edgeemo.imaging.faces import detect_faces
from edgeemo.imaging.preprocess import decode
from edgeemo.model.tables import Rejected

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from edgeemo.dataset.ingest.examine import UsableImage
    from edgeemo.dataset.ingest.find import LabelledFile
    from edgeemo.imaging.faces import FaceDetector
    from edgeemo.model.input_spec import InputSpec
    from edgeemo.utils.progress import Progress

NO_FACE = "no-face"
"""Reason for excluding an image in which no face is detected."""


def judge_files(
    root: Path,
    files: Sequence[LabelledFile],
    *,
    accept: Iterable[str],
    crops: Sequence[InputSpec] = (),
    detector: FaceDetector | None = None,
    progress: Progress,
) -> list[UsableImage | Rejected]:
    """Judge files, on all cores.

    Args:
        root: Folder that the paths of the files are relative to.
        files: The files.
        accept: Formats to accept besides JPEG, PNG and BMP.
        crops: As in `edgeemo.dataset.IngestOptions`.
        detector: The face detector; required with `crops`.
        progress: Receives the progress.

    Returns:
        A verdict per file, in the same order.

    Raises:
        MissingExtraError: If the library of the perceptual hash is not installed.
    """
    require_libraries()
    formats = list_accepted_formats(accept)
    progress.stage("Reading the images", total=len(files))
    return map_in_threads(
        files,
        lambda batch: [
            judge_file(root, file, formats=formats, crops=crops, detector=detector)
            for file in batch
        ],
        progress=progress,
    )


def judge_file(
    root: Path,
    file: LabelledFile,
    *,
    formats: Iterable[str],
    crops: Sequence[InputSpec] = (),
    detector: FaceDetector | None = None,
) -> UsableImage | Rejected:
    """Return the usable image that a file holds, or the reason for its exclusion.

    Args:
        root: Folder that the path of the file is relative to.
        file: The file.
        formats: Accepted formats, as Pillow names them.
        crops: As in `edgeemo.dataset.IngestOptions`.
        detector: The face detector; required with `crops`.
    """
    examined = examine_file(root, file, formats=formats)
    if isinstance(examined.verdict, Rejected):
        return examined.verdict
    return _require_face(file, examined.content, crops, detector) or examined.verdict


def _require_face(
    file: LabelledFile, content: bytes, crops: Iterable[InputSpec], detector: FaceDetector | None
) -> Rejected | None:
    """Return the reason why an image cannot be cropped for these specifications, or None."""
    try:
        for spec in crops:
            with open_image(content) as opened:
                decoded = decode(opened, spec)
            if detector is None or spec.faces is None:
                raise ValueError("excluding images without a face requires a face detector")
            if not detect_faces(detector, decoded):
                detail = f"{spec.faces.detector} detects none"
                return Rejected(path=file.path, reason=NO_FACE, detail=detail)
    except ImageError as error:  # at a larger scale than it was judged at
        return reject_image(file.path, error)
    return None
