"""The networks of BlazeFace in LiteRT: a square of pixels in, a box per anchor out.

The numbers are MediaPipe's (`face_detection_short_range` and `face_detection_full_range_sparse`,
Apache License 2.0), except for the input size of the first, whose layers take any multiple of 16.
"""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from edgeemo.engines.litert import import_interpreter
from edgeemo.engines.pool import InterpreterPool
from edgeemo.utils.redirect import drop_output

if TYPE_CHECKING:
    from numpy.typing import NDArray

_VECTOR_OF_TWO = (8).to_bytes(4, "little")  # the length of two int32, as a FlatBuffer states it
_OVERLAP = 0.3  # of two boxes that share more of their union, one is dropped


class NetworkFile(NamedTuple):
    """A network's file, and how its outputs are read.

    Attributes:
        name: Name of the file, beside this module.
        side: Width and height of its input, in pixels.
        grids: Cells across and anchors in each, of every grid of anchors.
        box: Side of FER2013's bounding box, as a multiple of the network's.
        lift: How much higher its centre is, as a share of the network's box.
        stated: Input side that the file states, with the sides of the grids that it enlarges to at
            that size; they are constants, which have to change with the input.
    """

    name: str
    side: int
    grids: tuple[tuple[int, int], ...]
    box: float
    lift: float
    stated: tuple[int, tuple[int, ...]] = (0, ())

    def resize(self, side: int) -> NetworkFile:
        """Return the network for an input of another side, which its strides have to divide."""
        grids = tuple((cells * side // self.side, each) for cells, each in self.grids)
        return self._replace(side=side, grids=grids)


SHORT_RANGE = NetworkFile("blazeface.tflite", 96, ((12, 2), (6, 6)), 1.17, 0.1)
"""Faces near the camera. Its grids have cells of 8 and 16 pixels."""

FULL_RANGE = NetworkFile(
    "blazeface_full_range.tflite", 192, ((48, 1),), 1.2, 0.05, (192, (12, 24, 48))
)
"""Small faces, too; four times the cost. Its strides divide multiples of 32."""


class AnchorNetwork:
    """A network that several threads may run: an interpreter for each of them.

    Its file is read by the first run, or by `load`.

    Args:
        file: The network.

    Raises:
        EngineError: If LiteRT cannot be loaded.
        MissingExtraError: If LiteRT is not installed.
    """

    def __init__(self, file: NetworkFile) -> None:
        self.file = file
        self._make = import_interpreter()
        self._anchors = _list_anchors(file.grids)
        self._pool: InterpreterPool | None = None

    def load(self) -> InterpreterPool:
        """Return the interpreters, built by the first call.

        Two threads may both build them, and one pool is dropped: a lock could be held in a forked
        process.
        """
        if self._pool is None:
            build = partial(_Interpreter, self._make, _read_for(self.file), self.file.side)
            with drop_output():  # LiteRT announces its delegate, once
                self._pool = InterpreterPool(build(), build, threads=1)
        return self._pool

    def find(self, pixels: NDArray[np.uint8], *, min_score: float) -> NDArray[np.float64]:
        """Find the faces in a square.

        Args:
            pixels: (side, side, 3) RGB.
            min_score: Minimum score, 0 to 1.

        Returns:
            (N, 3): x and y of the centre and the side of FER2013's bounding boxes, in pixels of
            the square, the highest score first.
        """
        coordinates, scores = self._run(pixels)
        kept = np.flatnonzero(scores >= min_score)
        kept = kept[np.argsort(-scores[kept], kind="stable")]
        centres = self._anchors[kept] * self.file.side + coordinates[kept, :2]
        sides = coordinates[kept, 2:4].max(axis=1, keepdims=True)
        boxes = _drop_overlapping(np.hstack([centres, sides]))
        boxes[:, 1] -= self.file.lift * boxes[:, 2]
        boxes[:, 2] *= self.file.box
        return boxes

    def _run(self, pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return (N, 4) centres and sides in pixels, and (N,) scores, one of each per anchor."""
        pool = self.load()
        interpreter = pool.take()
        try:
            coordinates, logits = interpreter.run(pixels[None] / np.float32(127.5) - np.float32(1))
        finally:
            pool.give_back(interpreter)
        scores = 1 / (1 + np.exp(-logits[:, 0].astype(np.float64).clip(-80, 80)))
        return coordinates[:, :4].astype(np.float64), scores


class _Interpreter:
    """One interpreter of a network."""

    def __init__(self, make: Any, content: bytes, side: int) -> None:
        self._interpreter = make(model_content=content, num_threads=1)
        (tensor,) = self._interpreter.get_input_details()
        self._input = tensor["index"]
        if tensor["shape"][1] != side:
            self._interpreter.resize_tensor_input(self._input, (1, side, side, 3))
        self._interpreter.allocate_tensors()
        outputs = self._interpreter.get_output_details()
        outputs.sort(key=lambda output: -int(output["shape"][-1]))  # 16 coordinates, 1 score
        self._outputs = [output["index"] for output in outputs]

    def run(self, values: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Return (N, 16) coordinates and (N, 1) logits."""
        self._interpreter.set_tensor(self._input, values)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(each)[0] for each in self._outputs]


def _read(name: str) -> bytes:
    """Read a file beside this module, in a bundle's archive, too."""
    folder = os.path.dirname(__file__)  # noqa: PTH120 - pathlib is slow to import
    loader: Any = __spec__.loader
    content: bytes = loader.get_data(os.path.join(folder, name))  # noqa: PTH118
    return content


def _read_for(file: NetworkFile) -> bytes:
    """Read a network's file, whose constants are changed for an input of another side."""
    content, (stated, grids) = _read(file.name), file.stated
    for side in grids if file.side != stated else ():
        sides = (each.to_bytes(4, "little") * 2 for each in (side, side * file.side // stated))
        old, new = (_VECTOR_OF_TWO + each for each in sides)
        content = content.replace(old, new)
    return content


def _list_anchors(grids: tuple[tuple[int, int], ...]) -> NDArray[np.float64]:
    """Return the anchors' centres, (N, 2): x and y as shares of the square's side."""
    found = []
    for cells, each in grids:
        rows, columns = np.mgrid[:cells, :cells]
        centres = np.stack([columns.ravel(), rows.ravel()], axis=1) + 0.5
        found.append(np.repeat(centres / cells, each, axis=0))
    return np.concatenate(found)


def _drop_overlapping(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the (N, 3) boxes without those that overlap an earlier one."""
    kept: list[int] = []
    for number, box in enumerate(boxes):
        if all(_measure_overlap(box, boxes[other]) <= _OVERLAP for other in kept):
            kept.append(number)
    return boxes[kept]


def _measure_overlap(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return the intersection over union of two squares."""
    apart = np.abs(one[:2] - other[:2])
    across = np.clip((one[2] + other[2]) / 2 - apart, 0, min(one[2], other[2]))
    both = float(across.prod())
    return both / float(one[2] ** 2 + other[2] ** 2 - both)
