"""For int8 alone: a last sigmoid whose logits spend their 256 steps where they decide.

Full int8 rounds the logit before the sigmoid to 8 bits over the range that calibration saw. A
confident network reaches -18 to 11 (cnn-bn-64 on FER2013): a step of 0.12, so every image
within 0.06 of the middle gets p = 0.5 exactly, and with it the second label. But the sigmoid's own
uint8 output has 256 steps of 1/256 and cannot tell logits beyond 5.5 apart. Clamping the logit to
-6 to 6 makes its step 0.047. Half a step is taken off it besides, so that a logit rounds to 0 or
more (p >= 0.5) where it was 0 or more before. A network whose logits stay within -6 to 6 keeps its
range, since a clamp would coarsen it, and is shifted alone. No probability moves by more than
0.008.

TFLite has no fused clamp but RELU6, so the clamp is written as y = relu6(logit / 2 + 3) and
logit = 2 y - 6: the first is the dense layer itself, the second one more dense layer of one weight.
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


def rounded_at_half(network: Any, calibration: NDArray[np.float32]) -> Any:
    """The network with a last logit that int8 rounds well.

    Args:
        network: What `edgeemo.export.graph.deployable` gave.
        calibration: (N, H, W, C) float32 images; what they cause decides whether to clamp.

    Returns:
        A `keras.Model` of the same inputs and outputs, no probability more than 0.008 from its;
        `network` itself where it does not end in a dense layer with one sigmoid.
    """
    keras = import_keras()
    found = _before_last(keras, network)
    if found is None:
        return network
    features, dense = found
    low, high = _logit_range(network, calibration)
    inputs = keras.Input(batch_shape=network.inputs[0].shape, name=INPUT)
    end = _clamp if max(-low, high) > _LIMIT else _shift
    logit = end(keras, dense, high - low)(features(inputs))
    output = keras.layers.Activation("sigmoid", name=f"{dense.name}_sigmoid")(logit)
    return keras.Model(inputs, {OUTPUT: output}, name=NAME)


def _logit_range(network: Any, calibration: NDArray[np.float32]) -> tuple[float, float]:
    """Smallest and largest logit that the images cause, 0 included as int8 does."""
    answers = np.concatenate([np.asarray(network(image[None])[OUTPUT]) for image in calibration])
    odds = answers.astype(np.float64).clip(1e-9, 1 - 1e-9)
    logits = np.log(odds / (1 - odds))
    return min(0.0, float(logits.min())), max(0.0, float(logits.max()))


def _before_last(
    keras: Any, model: Any, *, depth: int = 0
) -> tuple[Callable[[Any], Any], Any] | None:
    """What leads up to the last dense layer, and that layer; None where there is none.

    The layer is looked for in the model and in those that end it, however deep.
    """
    (output,) = keras.tree.flatten(model.outputs)
    operation, node_index, _ = output._keras_history
    sources = operation._inbound_nodes[node_index].input_tensors
    if len(sources) != 1 or len(model.inputs) != 1:
        return None
    is_last = _is_last(keras, operation)
    if not is_last and not isinstance(operation, keras.Model):
        return None
    found = None if is_last else _before_last(keras, operation, depth=depth + 1)
    if not is_last and (found is None or sources[0] is model.inputs[0]):
        return found
    start = keras.Model(model.inputs, sources[0], name=f"features_{depth}")
    if found is None:
        return start, operation
    inner, dense = found
    return lambda tensor: inner(start(tensor)), dense


def _is_last(keras: Any, operation: Any) -> bool:
    return (
        isinstance(operation, keras.layers.Dense)
        and operation.units == 1
        and operation.use_bias
        and operation.activation is keras.activations.sigmoid
    )


def _clamp(keras: Any, dense: Any, _: float) -> Callable[[Any], Any]:
    kernel, bias = dense.get_weights()
    half = 6 / (2 * _LIMIT)
    into = _dense(keras, f"{dense.name}_clamp", kernel * half, bias * half + 3)
    back = _dense(
        keras, f"{dense.name}_logit", bias[None] * 0 + 1 / half, bias * 0 - _LIMIT - _STEP / 2
    )
    relu6 = keras.layers.ReLU(max_value=6, name=f"{dense.name}_relu6")
    return lambda tensor: back(relu6(into(tensor)))


def _shift(keras: Any, dense: Any, width: float) -> Callable[[Any], Any]:
    kernel, bias = dense.get_weights()
    down = max(width / 255 / 2, _OUTPUT_STEP / 2 / _SLOPE)
    layer: Callable[[Any], Any] = _dense(keras, f"{dense.name}_logit", kernel, bias - down)
    return layer


def _dense(keras: Any, name: str, kernel: NDArray[np.float32], bias: NDArray[np.float32]) -> Any:
    layer = keras.layers.Dense(1, name=name)
    layer.build((None, kernel.shape[0]))
    layer.set_weights([kernel, bias])
    return layer
