"""The layer of Keras behind each tensor of an ONNX file.

Its own names say nothing (see `edgeemo.export.canonical`). The float32 TFLite file of the same
model computes the same values under names that do: tensors of equal values belong together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo.diagnose.tflite_layers import TensorLayers, name_layers
from edgeemo.diagnose.tflite_model import TFLiteModel
from edgeemo.engines.litert import build_unshared_interpreter, import_schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edgeemo.diagnose.layer_names import LayerNames

_CLOSE = 1e-4


def read_tensor_layers(float32: bytes, names: LayerNames) -> TensorLayers:
    """Return the layers behind the tensors of a float32 TFLite file."""
    return name_layers(TFLiteModel(import_schema(), float32), names)


def match_layers(
    graph: Any,
    values: Mapping[str, NDArray[np.float32]],
    *,
    float32: bytes,
    layers: TensorLayers,
    image: NDArray[np.float32],
) -> dict[str, str]:
    """Return the layer of every tensor of an ONNX graph.

    A tensor without an equal, such as that before a ReLU that TFLite has merged, belongs to the
    layer of what is computed from it.

    Args:
        graph: The float32 `onnx.GraphProto`.
        values: Values of its tensors for an image.
        float32: The float32 TFLite file.
        layers: As of `read_tensor_layers`.
        image: The image, (H, W, C) in [0, 1].
    """
    marks = {index: _summarise(value) for index, value in _run(float32, layers, image).items()}
    found = {
        name: layer
        for name, value in values.items()
        if (layer := _find(_summarise(value), marks, layers))
    }
    nodes = list(graph.node)
    for node in reversed(nodes):
        follows = found.get(node.output[0], "")
        for name in node.input:
            if follows and name in values and name not in found:
                found[name] = follows
    before = "image"
    for node in nodes:
        before = found.setdefault(node.output[0], before)
    return found


def _run(
    float32: bytes, layers: TensorLayers, image: NDArray[np.float32]
) -> dict[int, NDArray[np.float32]]:
    interpreter = build_unshared_interpreter(float32)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image[None])
    interpreter.invoke()
    return {index: interpreter.get_tensor(index) for index in layers.layers}


def _summarise(value: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return figures of an array that the order of its axes does not change."""
    exact = np.asarray(value, np.float64)
    return np.asarray([exact.size, exact.mean(), exact.std(), exact.min(), exact.max()])


def _find(
    mark: NDArray[np.float64], marks: Mapping[int, NDArray[np.float64]], layers: TensorLayers
) -> str:
    """Return the layer of the first tensor with the same figures; "" for none."""
    size = max(abs(mark[3]), abs(mark[4]), 1e-6)
    for index, other in marks.items():
        if mark[0] == other[0] and np.abs(mark[1:] - other[1:]).max() < _CLOSE * size:
            return layers.layers[index]
    return ""
