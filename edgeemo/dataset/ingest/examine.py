"""Read and decode one file, and decide whether it is a usable image.

Images are decoded by the one preprocessing, so the decision is about the pixels that training uses.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeemo.bulk.bucket_path import BucketPath
from edgeemo.dataset.ingest.fingerprint import compute_perceptual_hash, make_thumbnail
from edgeemo.dataset.processing.sampling import take_sample
from edgeemo.errors import ImageError, ImageTooLargeError, SourceError
from edgeemo.imaging.decode import open_image, sniff
from edgeemo.imaging.limits import MAX_FILE_BYTES
from edgeemo.imaging.preprocess import decode, resize
from edgeemo.imaging.suffixes import format_by_name
from edgeemo.model.input_spec import InputSpec
from edgeemo.model.tables import Rejected
from edgeemo.utils.git_lfs import describe_pointer
from edgeemo.utils.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from edgeemo.dataset.ingest.find import LabelledFile
    from edgeemo.dataset.processing.sampling import ImageSample
    from edgeemo.model.tables import Split

BLANK_RANGE = 8
"""Largest range of grey values, of 0 to 255, in a blank image reduced to 64x64."""

_SIDE = 64  # twice the side that the hash transforms, so that its own, sharper filter reduces it
_GREY_64 = InputSpec(height=_SIDE, width=_SIDE, channels=1)


@dataclass(frozen=True, slots=True)
class UsableImage:
    """A usable image: its identity and its look, in a few hundred bytes.

    Attributes:
        path: Path relative to the data folder, with forward slashes.
        label: Class of the image.
        split: Split of the data folder that the image lies in, or None.
        sha256: SHA-256 of the file, hexadecimal.
        perceptual_hash: 64 bits as 8 bytes; similar images differ in few bits.
        thumbnail: Grey values, 16x16, row by row, as 256 bytes.
        wrong_extension: Whether the extension stands for another format than the content has.
    """

    path: str
    label: str
    split: Split | None
    sha256: str
    perceptual_hash: bytes
    thumbnail: bytes
    wrong_extension: bool


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """What is kept of a decoded image.

    Attributes:
        mode: Colour mode as Pillow names it.
        size: Stored width and height in pixels.
        pixels: Grey values of shape (64, 64).
        sample: The pixels in which traces of processing are looked for, where that is requested;
            None for an image with a palette.
    """

    mode: str
    size: tuple[int, int]
    pixels: NDArray[np.uint8]
    sample: ImageSample | None


@dataclass(frozen=True, slots=True)
class Examination:
    """The verdict on a file, with the content that it is based on.

    Attributes:
        verdict: The usable image, or the reason for its exclusion.
        content: Bytes of the file; empty if it could not be read.
        image: The decoded image; None for an excluded file.
    """

    verdict: UsableImage | Rejected
    content: bytes
    image: DecodedImage | None = None

    @property
    def pixels(self) -> NDArray[np.uint8] | None:
        """Return the grey values of shape (64, 64); None for an excluded file."""
        return self.image.pixels if self.image else None


def examine_file(
    root: Path, file: LabelledFile, *, formats: Iterable[str], sampled: bool = False
) -> Examination:
    """Read and decode a file, and decide whether it is a usable image.

    Args:
        root: Folder that the path of the file is relative to.
        file: The file.
        formats: Accepted formats, as Pillow names them.
        sampled: Whether to keep a sample of the decoded image.
    """
    path, content = to_printable(file.path), b""
    try:
        content = _read_file(root / file.path)
        format = _require_format(content, formats)
        image = _decode_grey(content, sampled=sampled)
        if path != file.path:
            raise _UnusableError("name", "the file's name is not valid text")
        verdict = _describe_image(file, content, format, image.pixels)
        return Examination(verdict, content, image)
    except _UnusableError as unusable:
        reason, detail = unusable.reason, unusable.detail
    except SourceError:  # no file can be read
        raise
    except Exception as error:  # one file never ends a run
        reason, detail = "damaged", one_line(error)
    return Examination(Rejected(path=path, reason=reason, detail=detail), content)


def reject_image(path: str, error: ImageError) -> Rejected:
    """Return the verdict on an image that cannot be decoded as it has to be.

    Args:
        path: Path of the image relative to the data folder.
        error: Its error.
    """
    reason = "too-large" if isinstance(error, ImageTooLargeError) else "damaged"
    return Rejected(path=path, reason=reason, detail=explain_image_error(error))


def explain_image_error(error: ImageError) -> str:
    """Return the text of an error without the name of the image, which its row has."""
    return str(error).removeprefix("image: ")


class _UnusableError(Exception):
    """The verdict on an unusable file.

    Attributes:
        reason: A word, as ``rejected.csv`` has it.
        detail: The reason in words.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def _read_file(path: Path) -> bytes:
    try:
        if isinstance(path, BucketPath):
            return _check_content(path.fetch(max_bytes=MAX_FILE_BYTES))
        if path.stat().st_size > MAX_FILE_BYTES:
            raise _refuse_size()
        content = path.read_bytes() if path.is_file() else b""
    except (OSError, MemoryError) as error:
        raise _UnusableError("unreadable", _explain_read_error(error)) from None
    return _check_content(content)


def _check_content(content: bytes | None) -> bytes:
    """Return a content that is neither too large, which None stands for, nor empty."""
    if content is None:
        raise _refuse_size()
    if not content:
        raise _UnusableError("empty", "the file is empty")
    return content


def _refuse_size() -> _UnusableError:
    return _UnusableError("too-large", f"more than {MAX_FILE_BYTES // 2**20} MB")


def _explain_read_error(error: OSError | MemoryError) -> str:
    if isinstance(error, MemoryError):
        return "there is not enough memory to read it"
    return error.strerror or str(error)


def _require_format(content: bytes, formats: Iterable[str]) -> str:
    """Return the format of a file's content if it is accepted."""
    format = sniff(content)
    if format is None:
        pointer = describe_pointer(content, "image")
        raise _UnusableError("not-an-image", pointer or "the content has no known image format")
    if format not in formats:
        raise _UnusableError("format", f"{format}; --accept {format.lower()} accepts it")
    return format


def _decode_grey(content: bytes, *, sampled: bool) -> DecodedImage:
    """Return the whole decoded image as grey values of shape (64, 64)."""
    try:
        with open_image(content) as opened:
            mode, size = opened.mode, opened.stored_size  # before a JPEG file is decoded reduced
            decoded = decode(opened, _GREY_64)
            pixels = resize(decoded, _GREY_64)[..., 0]
            sample = take_sample(decoded, opened, mode=mode, size=size) if sampled else None
    except MemoryError:
        raise _UnusableError("damaged", "there is not enough memory to resize it") from None
    except ImageTooLargeError as error:
        raise _UnusableError("too-large", explain_image_error(error)) from None
    except ImageError as error:
        raise _UnusableError("damaged", explain_image_error(error)) from None
    if int(pixels.max()) - int(pixels.min()) <= BLANK_RANGE:
        raise _UnusableError("blank", f"all grey values are within {BLANK_RANGE} of 255 levels")
    return DecodedImage(mode, size, pixels, sample)


def _describe_image(
    file: LabelledFile, content: bytes, format: str, pixels: NDArray[np.uint8]
) -> UsableImage:
    return UsableImage(
        path=file.path,
        label=file.label,
        split=file.split,
        sha256=hashlib.sha256(content).hexdigest(),
        perceptual_hash=compute_perceptual_hash(pixels),
        thumbnail=make_thumbnail(pixels),
        wrong_extension=format_by_name(file.path) not in (None, format),
    )


def to_printable(path: str) -> str:
    """Return the path as text that UTF-8 can hold: unchanged unless the name is not valid text."""
    return os.fsencode(path).decode("utf-8", "replace")
