"""A TFLite FlatBuffer, read: operators, tensors, grids and constants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo.diagnose.quantisation import Quantisation

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ACTIVATIONS = ("int8", "uint8", "int16")
_CONSTANTS = ("float32", *_ACTIVATIONS, "int32", "int64")


@dataclass(frozen=True)
class _Grid:
    """Scales of a constant, one or one per channel."""

    scale: NDArray[np.float32]
    zero_point: NDArray[np.int64]
    axis: int

    def dequantise(self, values: NDArray[Any]) -> NDArray[np.float32]:
        shape = [1] * values.ndim
        if len(self.scale) > 1:
            shape[self.axis] = len(self.scale)
        scale, zero = self.scale.reshape(shape), self.zero_point.reshape(shape)
        return ((values.astype(np.float64) - zero) * scale).astype(np.float32)


class TFLiteModel:
    """A FlatBuffer of TFLite with one graph.

    Args:
        schema: As of `edgeemo.engines.litert.import_schema`.
        content: The FlatBuffer; what follows it is not read.

    Attributes:
        model: The FlatBuffer as the schema's objects.
        tensors: Tensors of its graph.
        operators: Operators of its graph, in the order of execution.
    """

    def __init__(self, schema: Any, content: bytes) -> None:
        self.model = schema.ModelT.InitFromPackedBuf(content, 0)
        graph = self.model.subgraphs[0]
        self.tensors, self.operators = graph.tensors, graph.operators
        codes = vars(schema.BuiltinOperator).items()
        self._codes = {value: name for name, value in codes if not name.startswith("_")}
        types = vars(schema.TensorType).items()
        self._types = {value: name.lower() for name, value in types if not name.startswith("_")}

    def name(self, operator: Any) -> str:
        """Return the name of an operator, such as "CONV_2D"."""
        code = self.model.operatorCodes[operator.opcodeIndex]
        return str(self._codes[max(code.builtinCode, code.deprecatedBuiltinCode)])

    def tensor_name(self, index: int) -> str:
        """Return the name of a tensor."""
        return str(self.tensors[index].name, "utf-8", "replace")

    def quantisation(self, index: int) -> Quantisation | None:
        """Return the grid of an activation; None of a constant or a float tensor."""
        tensor = self.tensors[index]
        given, kind = tensor.quantization, self._types[tensor.type]
        if given is None or given.scale is None or len(given.scale) != 1:
            return None
        if self.read(index) is not None or kind not in _ACTIVATIONS:
            return None
        return Quantisation(float(given.scale[0]), int(given.zeroPoint[0]), kind)

    def read(self, index: int) -> NDArray[Any] | None:
        """Return a constant as it is stored; None of another tensor."""
        tensor = self.tensors[index]
        data, kind = self.model.buffers[tensor.buffer].data, self._types[tensor.type]
        if data is None or not len(data) or kind not in _CONSTANTS:
            return None
        return np.frombuffer(bytes(data), kind).reshape(tensor.shape)

    def read_quantised(self, index: int) -> NDArray[np.float32] | None:
        """Return a quantised constant as float; None of another tensor."""
        given, values = self.tensors[index].quantization, self.read(index)
        if values is None or given is None or given.scale is None or not len(given.scale):
            return None
        grid = _Grid(given.scale, np.asarray(given.zeroPoint), given.quantizedDimension)
        return grid.dequantise(values)
