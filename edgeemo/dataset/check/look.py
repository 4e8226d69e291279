"""Look at each file once, more closely than the ingest does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.dataset.check.features import compute_gradient_histograms
from edgeemo.dataset.ingest.judge import (
    Examination,
    UsableImage,
    accepted_formats,
    examine,
    is_grey,
    promised_format,
    require_imagehash,
)
from edgeemo.dataset.ingest.pool import map_in_threads
from edgeemo.imaging.decode import HEAD_BYTES, open_image, sniff
from edgeemo.imaging.preprocess import decode, preprocess
from edgeemo.model.face_settings import FaceSettings
from edgeemo.model.spec import InputSpec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from edgeemo.dataset.ingest.find import LabelledFile
    from edgeemo.imaging.faces import FaceDetector
    from edgeemo.model.tables import Rejected
    from edgeemo.utils.progress import Progress

_COLOUR = InputSpec(height=32, width=32, channels=3)
_PHOTO = InputSpec(height=48, width=48, faces=FaceSettings())


@dataclass(frozen=True, slots=True)
class ImageStatistics:
    """What one usable image measures.

    Attributes:
        mode: Pillow's name for its channels: "RGB", "L" (grey), "P" (palette), "CMYK" and so on.
        width: In pixels, as the file holds it.
        height: In pixels, as the file holds it.
        size_bytes: Of the file.
        brightness: Mean grey value, 0 to 255.
        contrast: Standard deviation of the grey values.
        colour: Mean over the pixels of the largest less the smallest of red, green and blue; 0 is
            grey.
        features: `compute_gradient_histograms`, 512 bytes.
        faces: How many faces were found; None if nobody looked.
    """

    mode: str
    width: int
    height: int
    size_bytes: int
    brightness: float
    contrast: float
    colour: float
    features: bytes
    faces: int | None


@dataclass(frozen=True, slots=True)
class InspectedFile:
    """One file, looked at.

    Attributes:
        verdict: The image, or why it would be set aside.
        label: The class that it lies in.
        format: What its content is, as Pillow names it; None if it is no image.
        disguised: Whether its name promises another format than its content has.
        facts: What it measures; None if it would be set aside.
    """

    verdict: UsableImage | Rejected
    label: str
    format: str | None
    disguised: bool
    facts: ImageStatistics | None


def inspect_files(
    root: Path,
    files: Sequence[LabelledFile],
    *,
    accept: Iterable[str],
    detector: FaceDetector | None,
    progress: Progress,
) -> list[InspectedFile]:
    """Look at files, on all cores.

    Args:
        root: The folder that the files' paths are relative to.
        files: What to look at.
        accept: Formats to take besides the usual ones.
        detector: The face detector; None looks for no faces.
        progress: Who is told of each file.

    Returns:
        What was seen of each file, in the same order.

    Raises:
        MissingExtraError: If the perceptual hash's library is not installed.
    """
    require_imagehash()
    formats = accepted_formats(accept)
    progress.stage("Looking at the images", total=len(files))

    def look(batch: Sequence[LabelledFile]) -> list[InspectedFile]:
        examined = [examine(root, file, formats=formats) for file in batch]
        features = _features(examined)
        return [
            _look(file, one, features.get(number, b""), detector)
            for number, (file, one) in enumerate(zip(batch, examined, strict=True))
        ]

    return map_in_threads(files, look, progress=progress)


def _features(examined: Sequence[Examination]) -> dict[int, bytes]:
    """The features of each that has pixels, by its number; computed together, which is faster."""
    usable = {number: one.pixels for number, one in enumerate(examined) if one.pixels is not None}
    if not usable:
        return {}
    rows = compute_gradient_histograms(np.stack([*usable.values()]))
    return {number: row.tobytes() for number, row in zip(usable, rows, strict=True)}


def _look(
    file: LabelledFile, examined: Examination, features: bytes, detector: FaceDetector | None
) -> InspectedFile:
    format, promised = sniff(examined.content[:HEAD_BYTES]), promised_format(file.path)
    facts = None
    if examined.pixels is not None:
        facts = _facts(examined.content, examined.pixels, features, detector)
    return InspectedFile(
        verdict=examined.verdict,
        label=file.label,
        format=format,
        disguised=format is not None and promised not in (None, format),
        facts=facts,
    )


def _facts(
    content: bytes, pixels: NDArray[np.uint8], features: bytes, detector: FaceDetector | None
) -> ImageStatistics:
    with open_image(content) as opened:
        mode, (width, height) = opened.mode, opened.stored_size
        faces = None if detector is None else len(detector.detect(decode(opened, _PHOTO)))
    return ImageStatistics(
        mode=mode,
        width=width,
        height=height,
        size_bytes=len(content),
        brightness=float(pixels.mean()),
        contrast=float(pixels.std()),
        colour=0.0 if is_grey(mode) else _colour(content),
        features=features,
        faces=faces,
    )


def _colour(content: bytes) -> float:
    rgb = preprocess(content, _COLOUR).astype(np.int16)
    return float((rgb.max(axis=-1) - rgb.min(axis=-1)).mean())
