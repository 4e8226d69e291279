"""Inspection of each file: the verdict of the ingest, and statistics of the image."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.dataset.check.features import compute_gradient_histograms
from edgeemo.dataset.ingest.examine import Examination, UsableImage, examine_file, reject_image
from edgeemo.dataset.ingest.formats import is_grey
from edgeemo.dataset.processing.sampling import add_green, complete_sample
from edgeemo.dataset.processing.traces import measure_traces
from edgeemo.errors import ImageError
from edgeemo.imaging.decode import HEAD_BYTES, open_image, sniff
from edgeemo.imaging.faces import detect_faces
from edgeemo.imaging.preprocess import decode, resize
from edgeemo.imaging.suffixes import format_by_name
from edgeemo.model.face_settings import FaceSettings
from edgeemo.model.input_spec import InputSpec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from PIL import Image

    from edgeemo.dataset.ingest.examine import DecodedImage
    from edgeemo.dataset.ingest.find import LabelledFile
    from edgeemo.dataset.processing.sampling import ImageSample
    from edgeemo.dataset.processing.traces import ImageTraces
    from edgeemo.imaging.faces import FaceDetector
    from edgeemo.model.tables import Rejected, Split

_COLOUR = InputSpec(height=32, width=32, channels=3)
_PHOTO = InputSpec(height=48, width=48, faces=FaceSettings())


@dataclass(frozen=True, slots=True)
class ImageStatistics:
    """Statistics of one usable image.

    Attributes:
        mode: Colour mode as Pillow names it: "RGB", "L" (grey), "P" (palette), "CMYK" and so on.
        width: Stored width in pixels.
        height: Stored height in pixels.
        size_bytes: Size of the file.
        brightness: Mean grey value, 0 to 255.
        contrast: Standard deviation of the grey values.
        colour: Mean over the pixels of the largest minus the smallest of red, green and blue; 0
            for grey.
        features: `compute_gradient_histograms`, 512 bytes.
        faces: Number of detected faces; None without a detector.
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
    """An inspected file.

    Attributes:
        verdict: The usable image, or the reason for its exclusion.
        label: Class of the file.
        split: Split of the data folder that the file lies in, or None.
        format: Format of the content, as Pillow names it; None for no image.
        disguised: Whether the extension stands for another format than the content has.
        statistics: Statistics of the image; None for an excluded file.
        traces: Traces of processing in the image; None for an excluded file or an image with a
            palette.
    """

    verdict: UsableImage | Rejected
    label: str
    split: Split | None
    format: str | None
    disguised: bool
    statistics: ImageStatistics | None
    traces: ImageTraces | None = None


def inspect_files(
    root: Path,
    files: Sequence[LabelledFile],
    *,
    formats: Iterable[str],
    detector: FaceDetector | None,
) -> list[InspectedFile]:
    """Inspect files together, which is faster than one by one.

    Args:
        root: Folder that the paths of the files are relative to.
        files: The files.
        formats: Accepted formats, as Pillow names them.
        detector: The face detector; None to detect no faces.

    Returns:
        The inspection of each file, in the same order.
    """
    examined = [examine_file(root, file, formats=formats, sampled=True) for file in files]
    features = _compute_features(examined)
    inspected = [
        _inspect_file(file, one, features.get(number, b""), detector)
        for number, (file, one) in enumerate(zip(files, examined, strict=True))
    ]
    return _add_traces(inspected)


def _compute_features(examined: Sequence[Examination]) -> dict[int, bytes]:
    """Compute the features of each image, by its number, together, which is faster."""
    usable = {number: one.pixels for number, one in enumerate(examined) if one.pixels is not None}
    if not usable:
        return {}
    rows = compute_gradient_histograms(np.stack([*usable.values()]))
    return {number: row.tobytes() for number, row in zip(usable, rows, strict=True)}


def _add_traces(
    inspected: Sequence[tuple[InspectedFile, ImageSample | None]],
) -> list[InspectedFile]:
    """Measure the traces of processing in images together, which is faster."""
    traces = iter(measure_traces([sample for _, sample in inspected if sample]))
    return [replace(file, traces=next(traces)) if sample else file for file, sample in inspected]


def _inspect_file(
    file: LabelledFile, examined: Examination, features: bytes, detector: FaceDetector | None
) -> tuple[InspectedFile, ImageSample | None]:
    format, promised = sniff(examined.content[:HEAD_BYTES]), format_by_name(file.path)
    verdict, statistics, sample = examined.verdict, None, None
    if examined.image is not None:
        try:
            statistics, sample = _measure_image(
                examined.content, examined.image, features, detector
            )
        except ImageError as error:  # in colour, or at a larger scale than it was judged at
            verdict = reject_image(verdict.path, error)
    inspected = InspectedFile(
        verdict=verdict,
        label=file.label,
        split=file.split,
        format=format,
        disguised=format is not None and promised not in (None, format),
        statistics=statistics,
    )
    return inspected, sample


def _measure_image(
    content: bytes, image: DecodedImage, features: bytes, detector: FaceDetector | None
) -> tuple[ImageStatistics, ImageSample | None]:
    rgb = None if is_grey(image.mode) else _decode_colours(content)
    sample = image.sample
    if sample and not sample.is_complete:
        with open_image(content) as opened:
            sample = complete_sample(sample, opened)
    if sample and rgb and sample.is_lossless:
        sample = add_green(sample, rgb)
    statistics = ImageStatistics(
        mode=image.mode,
        width=image.size[0],
        height=image.size[1],
        size_bytes=len(content),
        brightness=float(image.pixels.mean()),
        contrast=float(image.pixels.std()),
        colour=_measure_colour(rgb) if rgb else 0.0,
        features=features,
        faces=None if detector is None else _count_faces(content, detector),
    )
    return statistics, sample


def _count_faces(content: bytes, detector: FaceDetector) -> int:
    with open_image(content) as opened:
        return len(detect_faces(detector, decode(opened, _PHOTO)))


def _decode_colours(content: bytes) -> Image.Image:
    with open_image(content) as opened:
        return decode(opened, _COLOUR)


def _measure_colour(rgb: Image.Image) -> float:
    red, green, blue = resize(rgb, _COLOUR).transpose(2, 0, 1)
    largest, smallest = np.maximum(red, green), np.minimum(red, green)
    return float((np.maximum(largest, blue) - np.minimum(smallest, blue)).mean())
