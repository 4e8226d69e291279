"""A last logit whose 256 steps lie near the threshold; for int8 only.

Full int8 rounds the logit before the sigmoid to 8 bits over its range in calibration. A confident
network has -18 to 11 (cnn-bn-64 on an equalised copy of FER2013), a step of 0.12: every image
within 0.06 of the middle gets p = 0.5 exactly, and with it the second label. The uint8 output of
the sigmoid has steps of 1/256 and cannot distinguish logits beyond 5.5 anyway. Clamping the logit
to -6 to 6 makes its step 0.047. Half a step is subtracted as well, so that a logit of 0 or more
rounds to 0 or more (p >= 0.5). A network whose logits stay within -6 to 6 is only shifted, since a
clamp would make its steps coarser. No probability changes by more than 0.008.

The only clamp that TFLite fuses is RELU6, so it is written as y = relu6(logit / 2 + 3) and
logit = 2 y - 6: the first is the dense layer itself, the second a further dense layer of one
weight.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo.export.graph import INPUT, NAME, OUTPUT
from edgeemo.model.keras import import_keras

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_LIMIT = 6.0
_STEP = 2 * _LIMIT / 255
_OUTPUT_STEP = 1 / 256
_SLOPE = 0.25  # of the sigmoid in its middle, where it is steepest


def adapt_logit(network: Any, calibration: NDArray[np.float32]) -> Any:
    """Return the network with a last logit that int8 rounds well.

    Args:
        network: A `keras.Model`, as of `edgeemo.export.graph.build_deployed`.
        calibration: (N, H, W, C) float32 images; their logits decide whether to clamp.

    Returns:
        A `keras.Model` with the same inputs and outputs, whose probabilities differ by at most
        0.008; `network` itself if it does not end in a dense layer with one sigmoid.
    """
    keras = import_keras()
    found = _split_last(keras, network)
    if found is None:
        return network
    features, dense = found
    low, high = _measure_logits(network, calibration)
    inputs = keras.Input(batch_shape=network.inputs[0].shape, name=INPUT)
    end = _build_clamp if max(-low, high) > _LIMIT else _build_shift
    logit = end(keras, dense, high - low)(features(inputs))
    output = keras.layers.Activation("sigmoid", name=f"{dense.name}_sigmoid")(logit)
    return keras.Model(inputs, {OUTPUT: output}, name=NAME)


def _measure_logits(network: Any, calibration: NDArray[np.float32]) -> tuple[float, float]:
    """Return the smallest and the largest logit over the images and 0, which int8 includes."""
    probabilities = np.concatenate(
        [np.asarray(network(image[None])[OUTPUT]) for image in calibration]
    )
    odds = probabilities.astype(np.float64).clip(1e-9, 1 - 1e-9)
    logits = np.log(odds / (1 - odds))
    return min(0.0, float(logits.min())), max(0.0, float(logits.max()))


def _split_last(
    keras: Any, model: Any, *, depth: int = 0, activation: str = "sigmoid"
) -> tuple[Callable[[Any], Any], Any] | None:
    """Return the function before the last dense layer, and that layer; None without such a layer.

    The layer is searched in the model and in the models at its end, at any depth. It has the
    activation itself, or a layer of its own follows with it.
    """
    (output,) = keras.tree.flatten(model.outputs)
    operation, node_index, _ = output._keras_history
    sources = operation._inbound_nodes[node_index].input_tensors
    if len(sources) != 1 or len(model.inputs) != 1:
        return None
    if activation == "sigmoid" and _is_sigmoid(keras, operation):
        before = keras.Model(model.inputs, sources[0], name=f"logits_{depth}")
        return _split_last(keras, before, depth=depth + 1, activation="linear")
    is_last = _is_last(keras, operation, activation)
    if not is_last and not isinstance(operation, keras.Model):
        return None
    found = (
        None if is_last else _split_last(keras, operation, depth=depth + 1, activation=activation)
    )
    if not is_last and (found is None or sources[0] is model.inputs[0]):
        return found
    start = keras.Model(model.inputs, sources[0], name=f"features_{depth}")
    if found is None:
        return start, operation
    inner, dense = found
    return lambda tensor: inner(start(tensor)), dense


def _is_sigmoid(keras: Any, operation: Any) -> bool:
    is_layer = isinstance(operation, keras.layers.Activation)
    return is_layer and operation.activation is keras.activations.sigmoid


def _is_last(keras: Any, operation: Any, activation: str) -> bool:
    return (
        isinstance(operation, keras.layers.Dense)
        and operation.units == 1
        and operation.use_bias
        and operation.activation is keras.activations.get(activation)
    )


def _build_clamp(keras: Any, dense: Any, _: float) -> Callable[[Any], Any]:
    kernel, bias = dense.get_weights()
    half = 6 / (2 * _LIMIT)
    into = _build_dense(keras, f"{dense.name}_clamp", kernel=kernel * half, bias=bias * half + 3)
    back = _build_dense(
        keras,
        f"{dense.name}_logit",
        kernel=bias[None] * 0 + 1 / half,
        bias=bias * 0 - _LIMIT - _STEP / 2,
    )
    relu6 = keras.layers.ReLU(max_value=6, name=f"{dense.name}_relu6")
    return lambda tensor: back(relu6(into(tensor)))


def _build_shift(keras: Any, dense: Any, width: float) -> Callable[[Any], Any]:
    kernel, bias = dense.get_weights()
    down = max(width / 255 / 2, _OUTPUT_STEP / 2 / _SLOPE)
    layer: Callable[[Any], Any] = _build_dense(
        keras, f"{dense.name}_logit", kernel=kernel, bias=bias - down
    )
    return layer


def _build_dense(
    keras: Any, name: str, *, kernel: NDArray[np.float32], bias: NDArray[np.float32]
) -> Any:
    layer = keras.layers.Dense(1, name=name)
    layer.build((None, kernel.shape[0]))
    layer.set_weights([kernel, bias])
    return layer
