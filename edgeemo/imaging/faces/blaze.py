"""BlazeFace in LiteRT: 128x128 RGB in, 896 anchors out.

The network looks at the whole image, shrunk into its square. It is made for faces near the
camera: one of less than an eighth of the image's longer side is missed, and one that fills the
image, too. So where it finds nothing it looks again, first at the image with a border around
it, then at nine parts of it, which overlap; see docs/faces.md for what each look costs and finds.

The numbers of the anchors are MediaPipe's (`face_detection_short_range`, Apache License 2.0).
"""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from edgeemo.engines.litert import import_interpreter
from edgeemo.engines.pool import InterpreterPool
from edgeemo.errors import ImageTooLargeError
from edgeemo.imaging.decode import stretch
from edgeemo.imaging.faces.face import Face, sort_by_size
from edgeemo.utils.redirect import drop_output

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

BLAZEFACE = "blazeface.tflite"

_SIDE = 128
_GRIDS = ((16, 2), (8, 6))  # cells across, anchors in each
_MIN_SCORE_OF_PART = 0.7  # nine parts are nine chances of a false positive
_OVERLAP = 0.3  # of two boxes that share more of their union, one is dropped
_BORDER = 0.25  # on each side, as a share of the longer side
_PART = 0.65  # side of a part, as a share of the image's shorter side
_MAX_ACROSS = 5  # parts; those of a very long image are larger than that
_BAND_PIXELS = 1 << 20
_MAX_SEARCHED_PIXELS = 600_000_000  # of all parts together
_BOX, _LIFT = 1.2, 0.1  # the network's box, from the brows to the chin, to FER2013's


class BlazeFace:
    """An `edgeemo.imaging.faces.face.FaceDetector`, an interpreter per thread that detects.

    Args:
        min_score: Minimum score of a face, 0 to 1; in a part of the image it is at least 0.7.
        again: Whether to look again where the first look finds nothing.

    Raises:
        EngineError: If LiteRT cannot be loaded.
        MissingExtraError: If LiteRT is not installed.
    """

    def __init__(self, *, min_score: float, again: bool = True) -> None:
        self._again = again
        self._min_score = min_score
        build = partial(_Network, import_interpreter(), _read_network())
        self._anchors = _anchors()
        with drop_output():  # LiteRT announces its delegate, once; other threads may print later
            self._pool = InterpreterPool(build(), build, threads=1)

    def detect(self, image: Image.Image) -> tuple[Face, ...]:
        """See `edgeemo.imaging.faces.face.FaceDetector.detect`."""
        score = self._min_score
        found = self._look(image, min_score=score)
        if self._again and not found:
            found = self._look(image, min_score=score, border=_BORDER) or self._look_at_parts(image)
        return sort_by_size([_to_face(box) for box in found])

    def _look_at_parts(self, image: Image.Image) -> list[NDArray[np.float64]]:
        """Return the boxes found in nine parts of the image."""
        boxes: list[NDArray[np.float64]] = []
        min_score = max(self._min_score, _MIN_SCORE_OF_PART)
        parts = list(_place_parts(image))
        if (
            sum(side * min(side, image.height - top) for _, top, side in parts)
            > _MAX_SEARCHED_PIXELS
        ):
            raise ImageTooLargeError("image: it is too long and narrow to search it for faces")
        for left, top, side in parts:
            square = _shrink_part(image, left, top, side)
            found = self._find(square, np.zeros(2), side / _SIDE, min_score=min_score)
            boxes.extend(box + np.array([left, top, 0]) for box in found)
        return _drop_overlapping(boxes)

    def _look(
        self, image: Image.Image, *, min_score: float, border: float = 0.0
    ) -> list[NDArray[np.float64]]:
        """Return boxes as (centre x, centre y, side) in pixels, the highest score first."""
        whole = max(image.size) * (1 + 2 * border)
        square, corner = _letterbox(image, _SIDE / whole)
        return self._find(square, corner, whole / _SIDE, min_score=min_score)

    def _find(
        self,
        square: NDArray[np.uint8],
        corner: NDArray[np.float64],
        scale: float,
        *,
        min_score: float,
    ) -> list[NDArray[np.float64]]:
        """Return the boxes in a square of the network's size, which shows pixels of `scale`."""
        coordinates, scores = self._run(square)
        kept = np.flatnonzero(scores >= min_score)
        kept = kept[np.argsort(-scores[kept], kind="stable")]
        centres = self._anchors[kept] * _SIDE + coordinates[kept, :2] - corner
        sides = coordinates[kept, 2:4].max(axis=1, keepdims=True)
        return _drop_overlapping([*np.hstack([centres, sides]) * scale])

    def _run(self, square: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return (896, 4) centres and sides in the network's pixels, and (896,) scores."""
        network = self._pool.take()
        try:
            coordinates, logits = network.run(square[None] / np.float32(127.5) - np.float32(1))
        finally:
            self._pool.give_back(network)
        scores = 1 / (1 + np.exp(-logits[:, 0].astype(np.float64).clip(-80, 80)))
        return coordinates[:, :4].astype(np.float64), scores


class _Network:
    """One interpreter of the network."""

    def __init__(self, make: Any, content: bytes) -> None:
        self._interpreter = make(model_content=content, num_threads=1)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        outputs = self._interpreter.get_output_details()
        outputs.sort(key=lambda output: -int(output["shape"][-1]))  # 16 coordinates, 1 score
        self._outputs = [output["index"] for output in outputs]

    def run(self, values: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Return (896, 16) coordinates and (896, 1) logits."""
        self._interpreter.set_tensor(self._input, values)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(each)[0] for each in self._outputs]


def _read_network() -> bytes:
    """Read the network, which lies beside this module, in a bundle's archive, too."""
    folder = os.path.dirname(__file__)  # noqa: PTH120 - pathlib is slow to import
    loader: Any = __spec__.loader
    content: bytes = loader.get_data(os.path.join(folder, BLAZEFACE))  # noqa: PTH118
    return content


def _anchors() -> NDArray[np.float64]:
    """Return the anchors' centres, (896, 2): x and y as shares of the square's side."""
    grids = []
    for cells, each in _GRIDS:
        rows, columns = np.mgrid[:cells, :cells]
        centres = np.stack([columns.ravel(), rows.ravel()], axis=1) + 0.5
        grids.append(np.repeat(centres / cells, each, axis=0))
    return np.concatenate(grids)


def _letterbox(image: Image.Image, scale: float) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Shrink the image into the middle of a black square; return that and the image's corner."""
    width, height = (min(_SIDE, max(1, round(side * scale))) for side in image.size)
    left, top = (_SIDE - width) // 2, (_SIDE - height) // 2
    square = np.zeros((_SIDE, _SIDE, 3), np.uint8)
    square[top : top + height, left : left + width] = np.asarray(stretch(image, width, height))
    return square, np.array([left, top], np.float64)


def _shrink_part(image: Image.Image, left: int, top: int, side: int) -> NDArray[np.uint8]:
    """Return a square part of the image in the network's size, black where it reaches beyond.

    Its rows are shrunk in bands: a part of a very long image is many times larger than the image.
    """
    end = min(top + side, image.height)
    across = Image.new("RGB", (_SIDE, side))
    rows = max(1, _BAND_PIXELS // side)
    for row in range(top, end, rows):
        band = image.crop((left, row, left + side, min(row + rows, end)))
        across.paste(stretch(band, _SIDE, band.height), (0, row - top))
    return np.asarray(stretch(across, _SIDE, _SIDE))


def _place_parts(image: Image.Image) -> Iterator[tuple[int, int, int]]:
    """Return left, top and side of each part, in pixels: nine, up to fifteen in a long image."""
    side = max(1, round(max(min(image.size) * _PART, max(image.size) / _MAX_ACROSS * 1.5)))
    corners = [
        np.linspace(0, max(0, length - side), min(_MAX_ACROSS, max(3, length * 3 // (2 * side))))
        for length in image.size
    ]
    return (
        (round(left), round(top), side)
        for top in np.unique(corners[1])
        for left in np.unique(corners[0])
    )


def _drop_overlapping(boxes: list[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """Return the boxes without those that overlap an earlier one."""
    kept: list[NDArray[np.float64]] = []
    for box in boxes:
        if all(_overlap(box, other) <= _OVERLAP for other in kept):
            kept.append(box)
    return kept


def _overlap(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return the intersection over union of two squares."""
    apart = np.abs(one[:2] - other[:2])
    across = np.clip((one[2] + other[2]) / 2 - apart, 0, min(one[2], other[2]))
    both = float(across.prod())
    return both / float(one[2] ** 2 + other[2] ** 2 - both)


def _to_face(box: NDArray[np.float64]) -> Face:
    """Return the network's box as FER2013 puts it around a face."""
    x, y, found = (float(value) for value in box)
    side = found * _BOX
    return Face(
        left=round(x - side / 2),
        top=round(y - _LIFT * found - side / 2),
        side=max(1, round(side)),
    )
