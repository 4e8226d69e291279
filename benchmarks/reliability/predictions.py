"""Predict a million images in one process, and measure by how much its memory grows.

    python -m benchmarks.reliability.run predictions faces

The images are files: the golden images of the shipped model at 96 pixels, as JPEG, PNG and BMP, and
in every hundred one that is damaged, one that is empty and one without a face. They take the way of
a folder, through `predict_images`. The slope is that of a straight line through the resident memory
after every 10,000th part, the first tenth left out.
"""

from __future__ import annotations

import io
import os
from itertools import count as count_from
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from benchmarks.reliability.check import Check
from benchmarks.reliability.subjects import SHIPPED
from edgeemo import Classifier
from edgeemo.model.face_request import FaceRequest
from edgeemo.runtime.stream import predict_images

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

COUNT = 1_000_000
MAX_SLOPE_MB = 1.0
_SAMPLES = 1000
_LEFT_OUT = 0.1
_FORMATS = ("JPEG", "PNG", "BMP")
_WITH_FACE = ("01.jpg", "03.jpg", "08.png", "09.jpg", "11.jpg")
"""Golden images in which a face is detected at the first look."""


def measure_whole(count: int = COUNT) -> list[Check]:
    """Return the check of predictions of whole images."""
    return [_measure(count, faces=False)]


def measure_faces(count: int = COUNT) -> list[Check]:
    """Return the check of predictions of faces that are detected first."""
    return [_measure(count, faces=True)]


def _measure(count: int, *, faces: bool) -> Check:
    counted = sample_memory(count, faces=faces)
    slope = 1e6 * np.polyfit(*counted.T, deg=1)[0]
    where = "with faces, in a process" if faces else "without faces, in a process"
    return Check(
        name=f"{count:,} predictions {where}: slope of the memory per million predictions",
        measured=f"{slope:.2f} MB (from {counted[0, 1]:.1f} to {counted[-1, 1]:.1f} MB)",
        promise=f"≤ {MAX_SLOPE_MB:.0f} MB",
        kept=bool(slope <= MAX_SLOPE_MB),
    )


def sample_memory(count: int, *, faces: bool) -> NDArray[np.float64]:
    """Predict images in this process; return numbers of predictions and resident megabytes.

    Args:
        count: Number of predictions, of which the first tenth is left out.
        faces: Whether to detect faces.
    """
    with TemporaryDirectory() as folder:
        names = _make_images(Path(folder))
        samples = np.array([*_predict(names, count, faces=faces)])
    return samples[samples[:, 0] >= count * _LEFT_OUT]


def _make_images(folder: Path) -> list[str]:
    """Make a hundred names of images, of which three cannot be predicted with --faces."""
    for golden in _WITH_FACE:
        with Image.open(SHIPPED / "golden" / golden) as image:
            small = image.convert("RGB")
        small.thumbnail((96, 96))
        for format in _FORMATS:
            small.save(folder / f"{Path(golden).stem}.{format.lower()}", format)
    names = sorted(str(path) for path in folder.iterdir())
    damaged, empty, plain = (str(folder / name) for name in ("damaged.jpg", "empty.png", "grey"))
    Path(damaged).write_bytes(Path(names[1]).read_bytes()[:700])
    Path(empty).touch()
    grey = io.BytesIO()
    Image.new("L", (48, 48), 128).save(grey, "PNG")
    Path(plain).write_bytes(grey.getvalue())
    return [names[number % len(names)] for number in range(97)] + [damaged, empty, plain]


def _predict(names: list[str], count: int, *, faces: bool) -> Iterator[tuple[int, float]]:
    """Yield the number of predictions and the resident megabytes, `_SAMPLES` times."""
    classifier = Classifier.load(SHIPPED / "int8.tflite", faces=FaceRequest(enabled=faces))
    sources = (names[number % len(names)] for number in count_from())
    made, step = 0, max(1, count // _SAMPLES)
    for result in predict_images(classifier, sources):
        for _ in result.predictions:
            made += 1
            if made % step == 0:
                yield made, _read_resident_mb()
        if made >= count:
            return


def _read_resident_mb() -> float:
    with open("/proc/self/statm", "rb") as stream:  # noqa: PTH123
        pages = int(stream.read().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
