"""Operators in front of a network: from RGB pixels, perhaps of another size, to what it reads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.clients.graph_parts import (
    AVERAGE_POOL_2D,
    CONV_2D,
    DEQUANTIZE,
    FLOAT32,
    INT8,
    INT32,
    QUANTIZE,
    RESIZE_BILINEAR,
    UINT8,
    Operator,
    Tensor,
)
from edgeemo.errors import ExportError

if TYPE_CHECKING:
    from edgeemo.clients.graph_editor import GraphEditor
    from edgeemo.engines.rewrite import Field
    from edgeemo.model.spec import ModelSpec

LUMA = (19595 / 65536, 38470 / 65536, 7471 / 65536)
"""Weights of R, G and B in grey: ITU-R 601-2 luma, as Pillow computes it."""

_INT8_LUMA, _INT8_SUM = (55, 108, 21), 184
_ZERO = -128  # zero point in int8 of what begins at 0
_VALID = 1
_CONV_OPTIONS, _POOL_OPTIONS, _RESIZE_OPTIONS = 1, 5, 15


@dataclass
class RgbInput:
    """Operators in front of the network, from the new input to the old one.

    Attributes:
        editor: The graph.
        spec: Spec of the model.
        averages: As of `make_tflite_form`.
    """

    editor: GraphEditor
    spec: ModelSpec
    averages: bool

    def __post_init__(self) -> None:
        self._old = self.editor.describe_tensor(self.editor.input)
        if self._old.type not in (FLOAT32, UINT8):
            raise ExportError("the client form requires a float32 or uint8 input")
        self._is_float = self._old.type == FLOAT32
        self._operators: list[Operator] = []

    def build(self, side: int | None) -> None:
        """Put the operators in front."""
        height, width = self.spec.height, self.spec.width
        shape = (1, side or height, side or width, 3)
        tensor = replace(self._old, shape=shape, name="image")
        if side and self._is_float:
            tensor = Tensor(shape=shape, type=UINT8, scale=self.spec.scale, name="image")
        start = self.editor.add_tensor(tensor)
        at = start if self._is_float and not side else self._cast(start)
        at = self._make_grey(at) if self.spec.channels == 1 else at
        if side:
            at = self._resize(at)
        self._connect(at)
        self.editor.input = start

    def _cast(self, at: int) -> int:
        """Turn uint8 pixels into what the network computes with."""
        shape = self.editor.describe_tensor(at).shape
        if self._is_float:
            return self._add(DEQUANTIZE, 1, (at,), Tensor(shape=shape, type=FLOAT32))
        return self._add(QUANTIZE, 1, (at,), self._make_int8(shape))

    def _make_grey(self, at: int) -> int:
        if not self._is_float:
            weights = np.array(_INT8_LUMA, np.int8).reshape(1, 1, 1, 3)
            return self._convolve(at, weights, scale=1 / _INT8_SUM)
        red, _, blue = LUMA
        differences = np.array([[1, -1, 0], [0, 1, 0], [0, -1, 1]], np.float32)
        at = self._convolve(at, differences.reshape(3, 1, 1, 3))
        return self._convolve(at, np.array([red, 1, blue], np.float32).reshape(1, 1, 1, 3))

    def _convolve(self, at: int, weights: np.ndarray, *, scale: float = 0.0) -> int:
        before, outputs = self.editor.describe_tensor(at), len(weights)
        bias = np.zeros(outputs, np.int32 if scale else np.float32)
        inputs = self.editor.add_kernel(at, weights, bias, scale=scale, name="luma")
        after = replace(before, shape=(*before.shape[:3], outputs), name="")
        options: dict[int, Field] = {
            0: ("b", _VALID), 1: ("i", 1), 2: ("i", 1), 4: ("i", 1), 5: ("i", 1),
        }  # fmt: skip
        return self._add(CONV_2D, 3 if scale else 1, inputs, after, (_CONV_OPTIONS, options))

    def _resize(self, at: int) -> int:
        at = self._average(at) if self.averages else at
        before = self.editor.describe_tensor(at)
        target = (1, self.spec.height, self.spec.width, before.shape[3])
        if before.shape == target:
            return at
        sides = np.array(target[1:3], np.int32)
        size = Tensor(shape=(2,), type=INT32, name="size", data=sides.tobytes())
        inputs = (at, self.editor.add_tensor(size))
        after = replace(before, shape=target, name="")
        half_pixels: dict[int, Field] = {3: ("?", True)}
        return self._add(RESIZE_BILINEAR, 3, inputs, after, (_RESIZE_OPTIONS, half_pixels))

    def _average(self, at: int) -> int:
        before = self.editor.describe_tensor(at)
        high, wide = (
            _find_divisor(before.shape[axis], side)
            for axis, side in ((1, self.spec.height), (2, self.spec.width))
        )
        if (high, wide) == (1, 1):
            return at
        shape = (1, before.shape[1] // high, before.shape[2] // wide, before.shape[3])
        after = replace(before, shape=shape, name="")
        options: dict[int, Field] = {
            0: ("b", _VALID), 1: ("i", wide), 2: ("i", high), 3: ("i", wide), 4: ("i", high),
        }  # fmt: skip
        version = 1 if self._is_float else 2
        return self._add(AVERAGE_POOL_2D, version, (at,), after, (_POOL_OPTIONS, options))

    def _connect(self, at: int) -> None:
        """Make the last operator write what the network reads."""
        editor, target = self.editor, self.editor.input
        if not self._is_float:
            target = self._find_int8_input()
            if target == editor.input:
                self._add_to(QUANTIZE, 1, at, target)
        if target != editor.input or self._is_float:
            self._operators[-1] = replace(self._operators[-1], outputs=(target,))
        editor.put_in_front(self._operators)

    def _find_int8_input(self) -> int:
        """Return the int8 tensor of the network's own QUANTIZE, which goes; else the input."""
        consumers = self.editor.find_consumers(self.editor.input)
        if len(consumers) == 1 and consumers[0].code == QUANTIZE:
            (output,) = consumers[0].outputs
            found = self.editor.describe_tensor(output)
            if (found.type, found.scale, found.zero_point) == (INT8, self._old.scale, _ZERO):
                self.editor.remove_operator(consumers[0])
                return output
        return self.editor.input

    def _make_int8(self, shape: tuple[int, ...]) -> Tensor:
        return Tensor(shape=shape, type=INT8, scale=self._old.scale, zero_point=_ZERO)

    def _add(
        self,
        code: int,
        version: int,
        inputs: tuple[int, ...],
        output: Tensor,
        options: tuple[int, dict[int, Field]] | None = None,
    ) -> int:
        name = output.name or f"client_{len(self._operators)}"
        index = self.editor.add_tensor(replace(output, name=name))
        self._operators.append(
            Operator(code=code, version=version, inputs=inputs, outputs=(index,), options=options)
        )
        return index

    def _add_to(self, code: int, version: int, at: int, target: int) -> None:
        self._operators.append(
            Operator(code=code, version=version, inputs=(at,), outputs=(target,))
        )


def _find_divisor(side: int, target: int) -> int:
    """Return the largest number that divides a side and leaves the target or more; at least 1."""
    fits = (each for each in range(1, side + 1) if side % each == 0 and side // each >= target)
    return max(fits, default=1)
