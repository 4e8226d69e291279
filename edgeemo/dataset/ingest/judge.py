"""Judge each file by its content: is it an image, and what does it look like?

Images are decoded by the one preprocessing, so what is judged is what training will see. Threads
do the work: Pillow decodes outside the interpreter's lock, so large images use every core, and a
48-pixel face costs a millisecond either way.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from edgeemo.dataset.ingest.options import ALWAYS_ACCEPTED
from edgeemo.dataset.ingest.pool import map_in_threads
from edgeemo.errors import ImageError, ImageTooLargeError, MissingExtraError
from edgeemo.imaging.decode import open_image, sniff
from edgeemo.imaging.preprocess import decode, preprocess
from edgeemo.model.spec import InputSpec
from edgeemo.model.tables import Rejected

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from edgeemo.dataset.ingest.find import LabelledFile
    from edgeemo.imaging.faces import FaceDetector
    from edgeemo.model.tables import Split
    from edgeemo.utils.progress import Progress

BLANK_RANGE = 8
"""An image whose grey values, reduced to 64x64, span no more than this is blank, of 0 to 255."""

THUMBNAIL_SIDE = 16
"""Side of the thumbnail on which near-duplicates are confirmed, in pixels."""

MAX_FILE_BYTES = 256 * 2**20
"""Larger files are not read: no photograph is that large."""

NO_FACE = "no-face"
"""Why an image is set aside in which no face is found."""

_LOOK_SIDE = 64  # twice what the hash transforms, so that its own, sharper filter reduces it
_LOOK = InputSpec(height=_LOOK_SIDE, width=_LOOK_SIDE, channels=1)
_GREY_MODES = ("1", "L", "LA", "I", "F")
_EXTENSIONS = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".png": "PNG",
    ".bmp": "BMP",
    ".dib": "BMP",
    ".webp": "WEBP",
    ".gif": "GIF",
}


@dataclass(frozen=True, slots=True)
class UsableImage:
    """A usable image: who it is and what it looks like, in a few hundred bytes.

    Attributes:
        path: Relative to the data folder, with forward slashes.
        label: Its class.
        split: The split that it was brought in, or None.
        sha256: SHA-256 of the file, hexadecimal.
        perceptual_hash: 64 bits as 8 bytes; alike images differ in few bits.
        thumbnail: Grey values, 16x16, row by row, as 256 bytes.
        wrong_extension: Whether the file's name promises another format than it holds.
    """

    path: str
    label: str
    split: Split | None
    sha256: str
    perceptual_hash: bytes
    thumbnail: bytes
    wrong_extension: bool


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
        root: The folder that the files' paths are relative to.
        files: What to judge.
        accept: Formats to take besides the usual ones.
        crops: As in `edgeemo.dataset.IngestOptions`.
        detector: The face detector; required with `crops`.
        progress: Who is told of each file.

    Returns:
        A verdict per file, in the same order.

    Raises:
        MissingExtraError: If the perceptual hash's library is not installed.
    """
    require_imagehash()
    formats = accepted_formats(accept)
    progress.stage("Looking at the images", total=len(files))
    return map_in_threads(
        files,
        lambda batch: [
            judge_file(root, file, formats=formats, crops=crops, detector=detector)
            for file in batch
        ],
        progress=progress,
    )


def accepted_formats(accept: Iterable[str]) -> frozenset[str]:
    """The formats to take, as Pillow names them: the usual ones and those asked for."""
    return frozenset(name.upper() for name in (*ALWAYS_ACCEPTED, *accept))


def judge_file(
    root: Path,
    file: LabelledFile,
    *,
    formats: Iterable[str],
    crops: Sequence[InputSpec] = (),
    detector: FaceDetector | None = None,
) -> UsableImage | Rejected:
    """Judge one file.

    Args:
        root: The folder that the file's path is relative to.
        file: What to judge.
        formats: Formats to take, as Pillow names them.
        crops: As in `edgeemo.dataset.IngestOptions`.
        detector: The face detector; required with `crops`.

    Returns:
        The image, or why it is set aside.
    """
    examined = examine(root, file, formats=formats)
    if isinstance(examined.verdict, Rejected):
        return examined.verdict
    return _faceless(file, examined.content, crops, detector) or examined.verdict


@dataclass(frozen=True, slots=True)
class Examination:
    """A verdict and what it was reached by, for who wants to look closer before it is let go.

    Attributes:
        verdict: The image, or why it is set aside.
        content: The file's bytes; empty where it could not be read.
        pixels: Grey values of (64, 64); None where the file is set aside.
    """

    verdict: UsableImage | Rejected
    content: bytes
    pixels: NDArray[np.uint8] | None = None


def examine(root: Path, file: LabelledFile, *, formats: Iterable[str]) -> Examination:
    """As `judge_file`, with the bytes and the pixels that were judged."""
    path, content = _printable(file.path), b""
    try:
        content = _read(root / file.path)
        format = _format(content, formats)
        pixels = _decode(content)
    except _UnusableError as verdict:
        reason, detail = verdict.reason, verdict.detail
        return Examination(Rejected(path=path, reason=reason, detail=detail), content)
    if path != file.path:
        detail = "the file's name is not valid text"
        return Examination(Rejected(path=path, reason="name", detail=detail), content)
    return Examination(_image(file, content, format, pixels), content, pixels)


def promised_format(path: str) -> str | None:
    """The format that a file's name promises, as Pillow names it; None for an unknown ending."""
    return _EXTENSIONS.get(PurePosixPath(path).suffix.lower())


def is_grey(mode: str) -> bool:
    """Whether an image of that mode, as Pillow names it, has no colours."""
    return mode in _GREY_MODES or mode.startswith("I;16")


def require_imagehash() -> None:
    """Say at once what is missing.

    Raises:
        MissingExtraError: If the perceptual hash's library is not installed.
    """
    try:
        import imagehash  # noqa: F401
    except ImportError:
        raise MissingExtraError("imagehash", extra="data", purpose="Preparing images") from None


def _faceless(
    file: LabelledFile, content: bytes, crops: Iterable[InputSpec], detector: FaceDetector | None
) -> Rejected | None:
    """Return why an image cannot be cropped for these specifications; None where it can."""
    try:
        for spec in crops:
            with open_image(content) as opened:
                decoded = decode(opened, spec)
            if detector is None or spec.faces is None:
                raise ValueError("excluding images without a face requires a face detector")
            if not detector.detect(decoded):
                detail = f"{spec.faces.detector} finds none"
                return Rejected(path=file.path, reason=NO_FACE, detail=detail)
    except ImageError as error:  # at a larger scale than it was judged at
        return Rejected(path=file.path, reason="damaged", detail=_detail(error))
    return None


def _image(
    file: LabelledFile, content: bytes, format: str, pixels: NDArray[np.uint8]
) -> UsableImage:
    return UsableImage(
        path=file.path,
        label=file.label,
        split=file.split,
        sha256=hashlib.sha256(content).hexdigest(),
        perceptual_hash=_perceptual_hash(pixels),
        thumbnail=_thumbnail(pixels),
        wrong_extension=promised_format(file.path) not in (None, format),
    )


class _UnusableError(Exception):
    """Carries the verdict on a file out of the depth where it was reached."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise _UnusableError("too-large", f"more than {MAX_FILE_BYTES // 2**20} MB")
        content = path.read_bytes() if path.is_file() else b""
    except OSError as error:
        raise _UnusableError("unreadable", error.strerror or str(error)) from None
    if not content:
        raise _UnusableError("empty", "there is nothing in it")
    return content


def _format(content: bytes, formats: Iterable[str]) -> str:
    format = sniff(content)
    if format is None:
        raise _UnusableError("not-an-image", "its content is none of the known image formats")
    if format not in formats:
        raise _UnusableError("format", f"{format}; --accept {format.lower()} takes it")
    return format


def _decode(content: bytes) -> NDArray[np.uint8]:
    """The whole image decoded, as grey values of (64, 64)."""
    try:
        pixels = preprocess(content, _LOOK)[..., 0]
    except ImageTooLargeError as error:
        raise _UnusableError("too-large", _detail(error)) from None
    except ImageError as error:
        raise _UnusableError("damaged", _detail(error)) from None
    if int(pixels.max()) - int(pixels.min()) <= BLANK_RANGE:
        raise _UnusableError("blank", f"all of it is within {BLANK_RANGE} of 255 levels of grey")
    return pixels


def _detail(error: ImageError) -> str:
    return str(error).removeprefix("image: ")


def _perceptual_hash(pixels: NDArray[np.uint8]) -> bytes:
    import imagehash

    return np.packbits(imagehash.phash(Image.fromarray(pixels)).hash).tobytes()


def _thumbnail(pixels: NDArray[np.uint8]) -> bytes:
    side = (THUMBNAIL_SIDE, THUMBNAIL_SIDE)
    return Image.fromarray(pixels).resize(side, Image.Resampling.BOX).tobytes()


def _printable(path: str) -> str:
    """The path as text that UTF-8 can hold; the same unless the name is not valid text."""
    return os.fsencode(path).decode("utf-8", "replace")
