"""An int8 TFLite file as a network whose layers run in integers or in float, one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo.diagnose.graph import Activation, Weights
from edgeemo.diagnose.tflite_layers import KERNELS, MOVES, name_layers
from edgeemo.diagnose.tflite_model import TFLiteModel
from edgeemo.diagnose.tflite_rewrite import CASTS, rewrite
from edgeemo.diagnose.tflite_weights import read_float_weights
from edgeemo.diagnose.weights import describe_weights
from edgeemo.engines.litert import build_unshared_interpreter, import_interpreter, import_schema
from edgeemo.utils.redirect import drop_output

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

    from edgeemo.diagnose.layer_names import LayerNames


class TFLiteGraph:
    """See `edgeemo.diagnose.graph.Graph`.

    Args:
        int8: The int8 file.
        float32: The float32 file of the same model.
        names: Names of the model's layers.
    """

    def __init__(self, int8: bytes, float32: bytes, names: LayerNames) -> None:
        self._content = int8
        self._schema = import_schema()
        self._model = TFLiteModel(self._schema, int8)
        found = name_layers(self._model, names)
        self._makers = {int(each.outputs[0]): each for each in self._model.operators}
        self._outputs = self._find_outputs()
        self.last = found.layers[self._outputs[-1]]
        self._rounded: dict[int, Activation] = {}
        self._constants: dict[int, tuple[str, NDArray[np.float32], NDArray[np.float32]]] = {}
        weights: list[Weights] = []
        source = TFLiteModel(self._schema, float32)
        self._floats = read_float_weights(
            source.operators,
            source.read,
            has_kernel=lambda operator: source.name(operator) in KERNELS,
        )
        for operator in self._model.operators:
            layer = found.layers[int(operator.outputs[0])]
            weights += self._read_constants(operator, layer)
            self._read_outputs(operator, layer)
        self.kept = tuple(
            found.layers[int(each.outputs[0])]
            for each in self._model.operators
            if self._model.name(each) in KERNELS
            and self._model.read_quantised(each.inputs[1]) is None
        )
        self.activations = tuple(self._rounded.values())
        self.weights = tuple(weights)
        self.hard_swish, self.readers = found.hard_swish, found.readers
        quantised = {each.layer for each in self.activations}
        quantised |= {each.layer for each in self.weights}
        ordered = dict.fromkeys(found.layers.values())
        self.layers = tuple(each for each in ordered if each in quantised)

    def build(
        self,
        quantised: Collection[str],
        *,
        narrow: Mapping[str, float] | None = None,
        weights_only: bool = False,
        keeps_activations: bool = False,
    ) -> TFLiteRun:
        """See `edgeemo.diagnose.graph.Graph.build`."""
        rewritten = rewrite(
            self._schema,
            self._content,
            rounded={
                index: each.quantisation.narrow((narrow or {}).get(each.key, 1))
                for index, each in self._rounded.items()
                if each.layer in quantised and not weights_only
            },
            constants={
                index: integer if layer in quantised else exact
                for index, (layer, integer, exact) in self._constants.items()
            },
        )
        return TFLiteRun(rewritten, keeps_activations=keeps_activations)

    def _read_outputs(self, operator: Any, layer: str) -> None:
        """Note the outputs of an operator that are rounded."""
        before = self._model.quantisation(operator.inputs[0])
        for index in map(int, operator.outputs):
            grid = self._model.quantisation(index)
            # Values of an equal grid are on it already: pixels, what is moved, a uint8 output.
            same = grid and before and np.isclose(grid.scale, before.scale, rtol=1e-6)
            if grid is None or (same and self._model.name(operator) in (*MOVES, *CASTS)):
                continue
            shape = self._model.tensors[index].shape
            self._rounded[index] = Activation(
                key=str(self._find_read(index)),
                layer=layer,
                channels_axis=len(shape) - 1,
                channels=int(shape[-1]) // self._count_pixels(operator),
                quantisation=grid,
                is_output=index in self._outputs,
            )

    def _find_read(self, index: int) -> int:
        """Return the tensor that holds the values of another in the float network, without casts.

        Casts are taken out there; where a mixed file casts a float tensor, that is rounded.
        """
        while index in self._makers and self._model.name(self._makers[index]) in CASTS:
            index = int(self._makers[index].inputs[0])
        return index

    def _find_outputs(self) -> list[int]:
        """Return the output and what it is cast from, the first last."""
        found = [int(self._model.model.subgraphs[0].outputs[0])]
        while self._model.name(self._makers[found[-1]]) in CASTS:
            found.append(int(self._makers[found[-1]].inputs[0]))
        return found

    def _count_pixels(self, operator: Any) -> int:
        """Return 2 for a convolution on pairs of pixels, else 1."""
        name = self._model.tensor_name(operator.inputs[1]) if len(operator.inputs) > 1 else ""
        return 2 if "_pairs" in name else 1

    def _read_constants(self, operator: Any, layer: str) -> list[Weights]:
        """Note the constants of an operator in both forms, and return what its kernel is like."""
        model = self._model
        values = {
            int(index): value
            for index in operator.inputs
            if index >= 0 and (value := model.read_quantised(index)) is not None
        }
        kernel = int(operator.inputs[1]) if len(operator.inputs) > 1 else -1
        if model.name(operator) not in KERNELS or kernel not in values:
            for index, value in values.items():
                floats = self._floats.find_constant(value)
                self._constants[index] = (layer, value, value if floats is None else floats)
            return []
        bias = int(operator.inputs[2]) if len(operator.inputs) > 2 else -1
        found = self._floats.find_pair(values[kernel], values.get(bias))
        for place, index in enumerate((kernel, bias)):
            if index in values:
                floats = found[place] if found else values[index]
                self._constants[index] = (layer, values[index], floats)
        scales = model.tensors[kernel].quantization.scale
        axis = model.tensors[kernel].quantization.quantizedDimension if len(scales) > 1 else 0
        if model.name(operator) == "DEPTHWISE_CONV_2D":
            axis = 3
        return [
            describe_weights(
                layer,
                values[kernel],
                found[0] if found else None,
                axis=axis,
                per_channel=len(scales) > 1,
                channels=values[kernel].shape[axis] // self._count_pixels(operator),
            )
        ]


class TFLiteRun:
    """See `edgeemo.diagnose.graph.Run`."""

    def __init__(self, content: bytes, *, keeps_activations: bool) -> None:
        with drop_output():
            self._interpreter = (
                build_unshared_interpreter(content)
                if keeps_activations
                else import_interpreter()(model_content=content, num_threads=1)
            )
            self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._output = self._interpreter.get_output_details()[0]["index"]

    def predict(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `edgeemo.diagnose.graph.Run.predict`."""
        self._interpreter.set_tensor(self._input, image[None])
        self._interpreter.invoke()
        return np.asarray(self._interpreter.get_tensor(self._output)[0], np.float32)

    def read(self, key: str) -> NDArray[np.float32]:
        """See `edgeemo.diagnose.graph.Run.read`."""
        return np.asarray(self._interpreter.get_tensor(int(key)), np.float32)
