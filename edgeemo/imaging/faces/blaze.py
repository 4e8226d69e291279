"""BlazeFace in LiteRT: 128x128 RGB in, 896 anchors out.

The network looks at the whole image, shrunk into its square. It is made for faces near the
camera: one of less than an eighth of the image's longer side is missed, and one that fills the
image, too. So where it finds nothing it looks again, first at the image with a border around
it, then at nine parts of it, which overlap; see docs/faces.md for what each look costs and finds.

The numbers of the anchors are MediaPipe's (`face_detection_short_range`, Apache License 2.0).
"""

from __future__ import annotations

import os
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo.engines.litert import interpreter_class
from edgeemo.imaging.decode import stretched
from edgeemo.imaging.faces.face import Face, largest_first
from edgeemo.utils.redirect import drop_output

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from PIL import Image

BLAZEFACE = "blazeface.tflite"

_SIDE = 128
_GRIDS = ((16, 2), (8, 6))  # cells across, anchors in each
_LEAST_SCORE = 0.5
_LEAST_SCORE_OF_PART = 0.7  # a part is looked at nine times: one chance more each to be wrong
_OVERLAP = 0.3  # of two frames that share more of their union, one is dropped
_BORDER = 0.25  # in parts of the longer side, on each
_PART = 0.65  # side of a part, in parts of the image's shorter side
_MOST_ACROSS = 5  # parts; those of a very long image are larger than that
_FRAME, _LIFT = 1.2, 0.1  # the network's box, from the brows to the chin, to FER2013's frame


class BlazeFace:
    """A `edgeemo.imaging.faces.face.FaceFinder` with one interpreter per thread.

    Args:
        again: Whether to look again where the first look finds nothing.
        least_score: Of a face that counts, 0 to 1; None for the usual. A part's faces need 0.7 at
            least.

    Raises:
        EngineError: If LiteRT cannot be loaded.
        MissingExtraError: If LiteRT is not installed.
    """

    def __init__(self, *, again: bool = True, least_score: float | None = None) -> None:
        self._again = again
        self._least_score = _LEAST_SCORE if least_score is None else least_score
        self._make = partial(interpreter_class(), model_content=_content())
        self._own = threading.local()
        self._anchors = _anchors()
        with drop_output():  # LiteRT announces its delegate, once; other threads may print later
            self._interpreter()

    def find(self, image: Image.Image) -> tuple[Face, ...]:
        """See `edgeemo.imaging.faces.face.FaceFinder.find`."""
        least = self._least_score
        found = self._look(image, least=least)
        if self._again and not found:
            found = self._look(image, least=least, border=_BORDER) or self._parts(image)
        return largest_first([_framed(box) for box in found])

    def _parts(self, image: Image.Image) -> list[NDArray[np.float64]]:
        """What is found in nine parts of the image."""
        boxes: list[NDArray[np.float64]] = []
        for left, top, side in _parts_of(image):
            part = image.crop((left, top, left + side, top + side))
            found = self._look(part, least=max(self._least_score, _LEAST_SCORE_OF_PART))
            boxes.extend(box + np.array([left, top, 0]) for box in found)
        return _distinct(boxes)

    def _look(
        self, image: Image.Image, *, least: float, border: float = 0.0
    ) -> list[NDArray[np.float64]]:
        """Boxes as (centre x, centre y, side) in the image's pixels, the surest first."""
        whole = max(image.size) * (1 + 2 * border)
        square, corner = _letterboxed(image, _SIDE / whole)
        coordinates, scores = self._run(square)
        kept = np.flatnonzero(scores >= least)
        kept = kept[np.argsort(-scores[kept], kind="stable")]
        centres = self._anchors[kept] * _SIDE + coordinates[kept, :2] - corner
        sides = coordinates[kept, 2:4].max(axis=1, keepdims=True)
        return _distinct([*np.hstack([centres, sides]) * (whole / _SIDE)])

    def _run(self, square: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What the network says: (896, 4) centres and sides in its pixels, (896,) scores."""
        interpreter = self._interpreter()
        interpreter.set_tensor(self._own.input, square[None] / np.float32(127.5) - np.float32(1))
        interpreter.invoke()
        coordinates, logits = (interpreter.get_tensor(each)[0] for each in self._own.outputs)
        scores = 1 / (1 + np.exp(-logits[:, 0].astype(np.float64).clip(-80, 80)))
        return coordinates[:, :4].astype(np.float64), scores

    def _interpreter(self) -> Any:
        own = self._own
        if not hasattr(own, "interpreter"):
            own.interpreter = self._make(num_threads=1)
            own.interpreter.allocate_tensors()
            own.input = own.interpreter.get_input_details()[0]["index"]
            outputs = own.interpreter.get_output_details()
            outputs.sort(key=lambda output: -int(output["shape"][-1]))  # 16 coordinates, 1 score
            own.outputs = [output["index"] for output in outputs]
        return own.interpreter


def _content() -> bytes:
    """The network, which lies beside this module, in a bundle's archive, too."""
    folder = os.path.dirname(__file__)  # noqa: PTH120 - pathlib is slow to import
    loader: Any = __spec__.loader
    content: bytes = loader.get_data(os.path.join(folder, BLAZEFACE))  # noqa: PTH118
    return content


def _anchors() -> NDArray[np.float64]:
    """Centres of the anchors, (896, 2), x and y in parts of the square's side."""
    grids = []
    for cells, each in _GRIDS:
        rows, columns = np.mgrid[:cells, :cells]
        centres = np.stack([columns.ravel(), rows.ravel()], axis=1) + 0.5
        grids.append(np.repeat(centres / cells, each, axis=0))
    return np.concatenate(grids)


def _letterboxed(image: Image.Image, scale: float) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The image shrunk into the middle of a black square, and where its corner is in that."""
    width, height = (min(_SIDE, max(1, round(side * scale))) for side in image.size)
    left, top = (_SIDE - width) // 2, (_SIDE - height) // 2
    square = np.zeros((_SIDE, _SIDE, 3), np.uint8)
    square[top : top + height, left : left + width] = np.asarray(stretched(image, width, height))
    return square, np.array([left, top], np.float64)


def _parts_of(image: Image.Image) -> Iterator[tuple[int, int, int]]:
    """Left, top and side of each part, in pixels: nine, or up to fifteen of a long image."""
    side = max(1, round(max(min(image.size) * _PART, max(image.size) / _MOST_ACROSS * 1.5)))
    corners = [
        np.linspace(0, max(0, length - side), min(_MOST_ACROSS, max(3, length * 3 // (2 * side))))
        for length in image.size
    ]
    return (
        (round(left), round(top), side)
        for top in np.unique(corners[1])
        for left in np.unique(corners[0])
    )


def _distinct(boxes: list[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """The boxes without those that lie on an earlier one."""
    kept: list[NDArray[np.float64]] = []
    for box in boxes:
        if all(_shared(box, other) <= _OVERLAP for other in kept):
            kept.append(box)
    return kept


def _shared(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Intersection over union of two squares."""
    apart = np.abs(one[:2] - other[:2])
    across = np.clip((one[2] + other[2]) / 2 - apart, 0, min(one[2], other[2]))
    both = float(across.prod())
    return both / float(one[2] ** 2 + other[2] ** 2 - both)


def _framed(box: NDArray[np.float64]) -> Face:
    """The network's box as the frame that FER2013 puts around a face."""
    x, y, side = (float(value) for value in box)
    frame = side * _FRAME
    return Face(
        left=round(x - frame / 2),
        top=round(y - _LIFT * side - frame / 2),
        side=max(1, round(frame)),
    )
