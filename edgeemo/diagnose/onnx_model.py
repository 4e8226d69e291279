"""An int8 ONNX graph, read, and its operators beside those of the float32 graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo.diagnose.quantisation import Quantisation
from edgeemo.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_CASTS = ("QuantizeLinear", "DequantizeLinear")
_REMOVABLE = ("Relu", "Clip")


class QuantisedGraph:
    """An int8 graph in QDQ form.

    Args:
        onnx: The package.
        content: The file.

    Attributes:
        nodes: Its operators, without casts.
    """

    def __init__(self, onnx: Any, content: bytes) -> None:
        graph = onnx.load_model_from_string(content).graph
        self.nodes = [node for node in graph.node if node.op_type not in _CASTS]
        self._constants = {
            each.name: onnx.numpy_helper.to_array(each) for each in graph.initializer
        }
        casts = [node for node in graph.node if node.op_type in _CASTS]
        self._makers = {node.output[0]: node for node in casts}
        self._rounding = {node.input[0]: node for node in casts if node.op_type == "QuantizeLinear"}

    def find_source(self, name: str) -> str:
        """Return the tensor that a chain of casts starts from."""
        while name in self._makers:
            name = self._makers[name].input[0]
        return name

    def find_grid(self, name: str) -> Quantisation | None:
        """Return the grid that an activation is rounded to; None if it is not."""
        if name not in self._rounding:
            return None
        scale, zero = (self._constants[each] for each in self._rounding[name].input[1:3])
        return Quantisation(float(scale), int(zero), zero.dtype.name)

    def read_constant(self, name: str) -> tuple[NDArray[np.float32], int, bool] | None:
        """Return a quantised constant as float, its axis and whether it has a scale per channel."""
        node = self._makers.get(name)
        if node is None or node.input[0] not in self._constants:
            return None
        values, scale = (self._constants[each] for each in node.input[:2])
        zero = self._constants[node.input[2]] if len(node.input) > 2 else np.zeros_like(values)
        axis = next((each.i for each in node.attribute if each.name == "axis"), 1)
        axis %= max(1, values.ndim)
        shape = [-1 if each == axis else 1 for each in range(values.ndim)] if scale.size > 1 else ()
        numbers = values.astype(np.float64) - zero.astype(np.float64).reshape(shape)
        return (numbers * scale.reshape(shape)).astype(np.float32), axis, scale.size > 1


def align_operators(graph: Any, quantised: QuantisedGraph) -> list[tuple[Any, Any | None]]:
    """Return each operator of the float32 graph with its equal; None where it was taken out.

    Raises:
        EngineError: If the graphs are not of one network.
    """
    pairs: list[tuple[Any, Any | None]] = []
    same = {value.name: value.name for value in graph.input}
    rest = list(reversed(quantised.nodes))
    for node in graph.node:
        if rest and _is_same(node, rest[-1], same, quantised):
            other = rest.pop()
            pairs.append((node, other))
            same |= dict(zip(node.output, other.output, strict=True))
        elif node.op_type in _REMOVABLE:
            pairs.append((node, None))
            same[node.output[0]] = same[node.input[0]]
        else:
            raise EngineError("int8.onnx has other operators than float32.onnx; export it again")
    return pairs


def _is_same(node: Any, other: Any, same: Mapping[str, str], quantised: QuantisedGraph) -> bool:
    """Return whether two operators are of one type and read the same tensors but for constants."""
    return node.op_type == other.op_type and all(
        quantised.find_source(theirs) == same[ours]
        for ours, theirs in zip(node.input, other.input, strict=False)
        if ours in same
    )
