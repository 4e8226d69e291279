"""An int8 ONNX file as a network whose layers run in integers or in float, one by one.

The float32 file has the same operators, but for those that ONNX Runtime's tool takes out: a ReLU
whose negative values its grid cuts off anyway.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo.diagnose.graph import Activation, Weights
from edgeemo.diagnose.onnx_layers import match_layers, read_tensor_layers
from edgeemo.diagnose.onnx_model import QuantisedGraph, align_operators
from edgeemo.diagnose.onnx_run import OnnxRun
from edgeemo.diagnose.weights import describe_weights

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

    from edgeemo.diagnose.layer_names import LayerNames
    from edgeemo.diagnose.quantisation import Quantisation

_KERNELS = ("Conv", "Gemm", "MatMul", "ConvTranspose")
_MOVES = (
    "MaxPool", "Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Slice",
    "Pad", "Split", "Expand",
)  # fmt: skip


@dataclass(frozen=True)
class _Constant:
    layer: str
    integer: NDArray[np.float32]
    exact: NDArray[np.float32]


class OnnxGraph:
    """See `edgeemo.diagnose.graph.Graph`.

    Args:
        int8: The int8 file.
        float32: The float32 ONNX file of the same model.
        tflite: The float32 TFLite file of the same model.
        names: Names of the model's layers.
        image: An image for the network, (H, W, C) in [0, 1].

    Raises:
        EngineError: If the two ONNX files are not of the same network.
    """

    def __init__(
        self,
        int8: bytes,
        *,
        float32: bytes,
        tflite: bytes,
        names: LayerNames,
        image: NDArray[np.float32],
    ) -> None:
        import onnx

        self._onnx = onnx
        self._model = onnx.load_model_from_string(float32)
        outputs = [name for node in self._model.graph.node for name in node.output]
        run = OnnxRun(self._render({}, {}, outputs), outputs)
        run.predict(image)
        layers = read_tensor_layers(tflite, names)
        self._layers = match_layers(
            self._model.graph,
            {name: run.read(name) for name in outputs},
            float32=tflite,
            layers=layers,
            image=image,
        )
        self.hard_swish, self.readers = layers.hard_swish, layers.readers
        self.last = self._layers[self._model.graph.output[0].name]
        self._channels = {name: run.read(name).shape for name in outputs}
        pairs = align_operators(self._model.graph, quantised := QuantisedGraph(onnx, int8))
        self._rounded = self._find_rounded(quantised, pairs)
        self._constants: dict[str, _Constant] = {}
        weights: list[Weights] = []
        for node, other in pairs:
            if other is not None:
                weights += self._read_constants(node, other, quantised)
        self.activations, self.weights = tuple(self._rounded.values()), tuple(weights)
        found = {each.layer for each in self.weights} | {self.last}
        kernels = [each for each in self._model.graph.node if each.op_type in _KERNELS]
        named = dict.fromkeys(self._layers[each.output[0]] for each in kernels)
        self.kept = tuple(name for name in named if name not in found)
        used = {each.layer for each in self.activations} | {each.layer for each in self.weights}
        ordered = dict.fromkeys(self._layers[name] for name in outputs)
        self.layers = tuple(each for each in ordered if each in used)

    def build(
        self,
        quantised: Collection[str],
        *,
        narrow: Mapping[str, float] | None = None,
        weights_only: bool = False,
        keeps_activations: bool = False,
    ) -> OnnxRun:
        """See `edgeemo.diagnose.graph.Graph.build`."""
        kept = [each.key for each in self.activations] if keeps_activations else []
        content = self._render(
            {
                key: each.quantisation.narrow((narrow or {}).get(key, 1))
                for key, each in self._rounded.items()
                if each.layer in quantised and not weights_only
            },
            {
                name: each.integer if each.layer in quantised else each.exact
                for name, each in self._constants.items()
            },
            kept,
        )
        return OnnxRun(content, kept)

    def _find_rounded(
        self, quantised: QuantisedGraph, pairs: list[tuple[Any, Any | None]]
    ) -> dict[str, Activation]:
        """Return the tensors of the float32 graph that the int8 one rounds."""
        found: dict[str, Activation] = {}
        same: dict[str, str] = {}  # tensor of the float32 graph to that of the int8 graph
        for node, other in pairs:
            name = node.output[0]
            if other is None:
                found.pop(node.input[0], None)  # the grid is that of what is behind the ReLU
                same[name] = same[node.input[0]]
            else:
                same[name] = other.output[0]
            grid = quantised.find_grid(same[name])
            is_on_it = (  # what is only moved, of values that were rounded before
                node.op_type in _MOVES
                and other is not None
                and grid == quantised.find_grid(quantised.find_source(other.input[0]))
            )
            if grid is not None and not is_on_it:
                shape = self._channels[name]
                axis = 1 if len(shape) == 4 else len(shape) - 1
                found[name] = Activation(
                    key=name,
                    layer=self._layers[name],
                    channels_axis=axis,
                    channels=int(shape[axis]),
                    quantisation=grid,
                )
        return found

    def _read_constants(self, node: Any, other: Any, quantised: QuantisedGraph) -> list[Weights]:
        """Note the constants of an operator in both forms, and return what its kernel is like."""
        found, layer = [], self._layers[node.output[0]]
        exact = {each.name: each for each in self._model.graph.initializer}
        for place, name in enumerate(node.input):
            value = quantised.read_constant(other.input[place]) if name in exact else None
            if value is None:
                continue
            integer, axis, per_channel = value
            floats = self._onnx.numpy_helper.to_array(exact[name])
            self._constants[name] = _Constant(layer, integer, floats)
            if node.op_type in _KERNELS and place == 1:
                axis = 0 if node.op_type == "Conv" else axis
                found.append(
                    describe_weights(
                        layer,
                        integer,
                        floats,
                        axis=axis,
                        per_channel=per_channel,
                        channels=integer.shape[axis],
                    )
                )
        return found

    def _render(
        self,
        rounded: Mapping[str, Quantisation],
        constants: Mapping[str, NDArray[np.float32]],
        kept: Collection[str],
    ) -> bytes:
        """Return the float32 graph with some tensors rounded and other constants."""
        onnx = self._onnx
        model = onnx.ModelProto()
        model.CopyFrom(self._model)
        graph = model.graph
        for each in graph.initializer:
            if each.name in constants:
                value = np.ascontiguousarray(constants[each.name], np.float32)
                each.CopyFrom(onnx.numpy_helper.from_array(value, each.name))
        nodes = list(graph.node)
        del graph.node[:]
        for node in nodes:
            node.input[:] = [f"{name}/rounded" if name in rounded else name for name in node.input]
            graph.node.append(node)
            for name in node.output:
                if name in rounded:
                    self._round(graph, name, rounded[name])
        known = {value.name for value in graph.output}
        graph.output.extend(
            onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)
            for name in kept
            if name not in known
        )
        return bytes(model.SerializeToString())

    def _round(self, graph: Any, name: str, grid: Quantisation) -> None:
        helper, arrays = self._onnx.helper, self._onnx.numpy_helper
        parts = [f"{name}/scale", f"{name}/zero"]
        graph.initializer.append(arrays.from_array(np.float32(grid.scale), parts[0]))
        zero = np.asarray(grid.zero_point, grid.type)
        graph.initializer.append(arrays.from_array(zero, parts[1]))
        integers = f"{name}/integers"
        graph.node.append(helper.make_node("QuantizeLinear", [name, *parts], [integers]))
        graph.node.append(
            helper.make_node("DequantizeLinear", [integers, *parts], [f"{name}/rounded"])
        )
