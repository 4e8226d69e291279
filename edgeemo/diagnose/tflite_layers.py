"""The layer of Keras behind each tensor of a TFLite file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgeemo.diagnose.tflite_rewrite import CASTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgeemo.diagnose.layer_names import LayerNames
    from edgeemo.diagnose.tflite_model import TFLiteModel

KERNELS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")
"""Operators with a kernel and perhaps a bias."""

MOVES = (
    "RESHAPE", "MAX_POOL_2D", "SQUEEZE", "EXPAND_DIMS", "TRANSPOSE", "SLICE", "STRIDED_SLICE",
    "PAD", "SPLIT", "UNPACK", "RESIZE_NEAREST_NEIGHBOR", "MIRROR_PAD",
)  # fmt: skip
"""Operators that only choose among the values of their input, which are rounded already."""


@dataclass(frozen=True)
class TensorLayers:
    """The layers behind the tensors of a file.

    Attributes:
        layers: Layer by the number of a tensor, for the result of every operator, in their order.
        hard_swish: Layers that are hard-swish activations.
        readers: Layers that read the output of each one.
    """

    layers: Mapping[int, str]
    hard_swish: frozenset[str]
    readers: Mapping[str, tuple[str, ...]]


def name_layers(model: TFLiteModel, names: LayerNames) -> TensorLayers:
    """Return the layers behind the tensors of a file.

    An operator that computes nothing, or whose tensors have no layer's name, belongs to that of its
    input.
    """
    layers: dict[int, str] = {}
    swish = set()
    readers: dict[str, dict[str, None]] = {}
    for operator in model.operators:
        layer = _name_layer(model, operator, names, layers)
        for index in operator.inputs:
            if layers.get(index, layer) != layer:
                readers.setdefault(layers[index], {})[layer] = None
        layers |= dict.fromkeys(map(int, operator.outputs), layer)
        text = model.tensor_name(operator.outputs[0])
        if model.name(operator) == "HARD_SWISH" or names.find_hard_swish(text):
            swish.add(layer)
    return TensorLayers(
        layers, frozenset(swish), {layer: tuple(found) for layer, found in readers.items()}
    )


def _name_layer(
    model: TFLiteModel, operator: Any, names: LayerNames, layers: Mapping[int, str]
) -> str:
    name = model.name(operator)
    before = next((layers[each] for each in operator.inputs if each in layers), "")
    if before and name in (*MOVES, *CASTS):
        return before
    result = model.tensor_name(operator.outputs[0])
    own = ""
    if name in KERNELS:
        kernel = model.tensor_name(operator.inputs[1])
        own = names.find_kernel(f"{kernel};{result}") or names.find(kernel)
    return own or names.find(result) or before or "image"
