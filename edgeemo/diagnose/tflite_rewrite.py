"""Rewriting of an int8 TFLite FlatBuffer as a float one that rounds where it is told to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo.diagnose.tflite_model import TFLiteModel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edgeemo.diagnose.quantisation import Quantisation

CASTS = ("QUANTIZE", "DEQUANTIZE")
_VERSION = 2  # of both with int8
_IDENTIFIER = b"TFL3"


def rewrite(
    schema: Any,
    content: bytes,
    *,
    rounded: Mapping[int, Quantisation],
    constants: Mapping[int, NDArray[np.float32]],
) -> bytes:
    """Return an int8 FlatBuffer as a float one.

    A rounded activation is cast to integers and back. Its own tensor keeps its number and the value
    before that.

    Args:
        schema: As of `edgeemo.engines.litert.import_schema`.
        content: The int8 FlatBuffer.
        rounded: Grid of each activation to round, by the number of its tensor.
        constants: Values of each quantised constant, by the number of its tensor.
    """
    return _Rewriter(schema, content).rewrite(rounded, constants)


class _Rewriter:
    def __init__(self, schema: Any, content: bytes) -> None:
        self._schema = schema
        self._read = TFLiteModel(schema, content)
        self._model = self._read.model
        self._graph = self._model.subgraphs[0]
        self._codes = {name: self._add_code(name) for name in CASTS}
        self._instead: dict[int, int] = {}

    def rewrite(
        self, rounded: Mapping[int, Quantisation], constants: Mapping[int, NDArray[np.float32]]
    ) -> bytes:
        for index, value in constants.items():
            self._set_constant(index, value)
        for tensor in self._graph.tensors:
            if tensor.quantization is not None and tensor.quantization.scale is not None:
                tensor.type, tensor.quantization = self._schema.TensorType.FLOAT32, None
        operators = []
        for operator in self._graph.operators:
            operator.inputs = self._redirect(operator.inputs)
            if self._read.name(operator) in CASTS:
                self._instead[int(operator.outputs[0])] = operator.inputs[0]
            else:
                operators.append(operator)
            for index in map(int, operator.outputs):
                if index in rounded:
                    operators += self._round(index, rounded[index])
        self._graph.operators = operators
        self._graph.outputs = self._redirect(self._graph.outputs)
        self._model.signatureDefs = []
        return self._pack()

    def _redirect(self, tensors: Any) -> list[int]:
        return [self._instead.get(int(each), int(each)) for each in tensors]

    def _set_constant(self, index: int, value: NDArray[np.float32]) -> None:
        buffer = self._schema.BufferT()
        buffer.data = np.frombuffer(np.ascontiguousarray(value, np.float32).tobytes(), np.uint8)
        self._graph.tensors[index].buffer = len(self._model.buffers)
        self._model.buffers.append(buffer)

    def _round(self, index: int, grid: Quantisation) -> list[Any]:
        """Return two operators that round a tensor, and let what follows read their result."""
        kind = getattr(self._schema.TensorType, grid.type.upper())
        integers = self._add_tensor(index, "integers", kind)
        given = self._schema.QuantizationParametersT()
        given.scale, given.zeroPoint = [grid.scale], [grid.zero_point]
        self._graph.tensors[integers].quantization = given
        result = self._add_tensor(index, "rounded", self._schema.TensorType.FLOAT32)
        source = self._instead.get(index, index)
        self._instead[index] = result
        return [
            self._make_cast("QUANTIZE", source, integers),
            self._make_cast("DEQUANTIZE", integers, result),
        ]

    def _add_tensor(self, like: int, name: str, kind: int) -> int:
        tensor = self._schema.TensorT()
        tensor.name = f"{name}_{like}"
        tensor.shape, tensor.type, tensor.buffer = self._graph.tensors[like].shape, kind, 0
        self._graph.tensors.append(tensor)
        return len(self._graph.tensors) - 1

    def _make_cast(self, name: str, source: int, result: int) -> Any:
        operator = self._schema.OperatorT()
        operator.opcodeIndex = self._codes[name]
        operator.inputs, operator.outputs = [source], [result]
        return operator

    def _add_code(self, name: str) -> int:
        code = self._schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = getattr(self._schema.BuiltinOperator, name)
        code.version = _VERSION
        self._model.operatorCodes.append(code)
        return len(self._model.operatorCodes) - 1

    def _pack(self) -> bytes:
        builder = self._schema.flatbuffers.Builder(1 << 20)  # which the schema imports itself
        builder.Finish(self._model.Pack(builder), _IDENTIFIER)
        return bytes(builder.Output())
