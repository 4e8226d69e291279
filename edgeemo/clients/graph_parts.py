"""Tensors and operators to add to the graph of a TFLite model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeemo.engines.rewrite import Field

FLOAT32, INT32, UINT8, INT8 = 0, 2, 3, 9
"""Types of tensors."""

AVERAGE_POOL_2D, CONV_2D, DEQUANTIZE, FULLY_CONNECTED, RESIZE_BILINEAR, QUANTIZE = (
    1,
    3,
    6,
    9,
    23,
    114,
)
"""Operators."""


@dataclass(frozen=True, kw_only=True)
class Tensor:
    """A tensor.

    Attributes:
        shape: The shape.
        type: `FLOAT32`, `INT32`, `UINT8` or `INT8`.
        scale: Scale of a quantised tensor; 0 of a float.
        zero_point: Zero point of a quantised tensor.
        name: The name.
        data: The values of a constant; empty of a variable.
    """

    shape: tuple[int, ...]
    type: int
    scale: float = 0.0
    zero_point: int = 0
    name: str = ""
    data: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, kw_only=True)
class Operator:
    """An operator.

    Attributes:
        code: The operator, such as `CONV_2D`.
        version: Its version, as the types of its tensors require.
        inputs: Indices of its input tensors.
        outputs: Indices of its output tensors.
        options: Type and fields of its options.
    """

    code: int
    version: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: tuple[int, dict[int, Field]] | None = None
