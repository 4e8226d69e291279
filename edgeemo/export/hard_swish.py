"""Hard-swish written as operators that XNNPACK runs in int8; for int8 TFLite only.

MobileNetV3's activation x relu6(x + 3) / 6 (Howard et al., 2019) becomes one HARD_SWISH operator,
for which XNNPACK has a float kernel but no integer one: every activation ends a partition, and
MobileNetV3-small falls into 19 partitions. With addition, ReLU6 and two products it is one.
The last product, by 1/6, loses nothing: its input and output differ in scale only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo.export.graph import INPUT, NAME, OUTPUT
from edgeemo.export.rebuild import Rebuilder
from edgeemo.model.keras import import_keras

if TYPE_CHECKING:
    from collections.abc import Callable

_NEARLY_3 = float(np.nextafter(np.float32(3), np.float32(0)))
"""Just below 3: with 3 itself the converter recognises the function and restores HARD_SWISH."""


def replace_hard_swish(network: Any) -> Any:
    """Return the network with each hard-swish activation as simple operators.

    Args:
        network: A `keras.Model` from ``image`` (1, H, W, C) to {"prob": (1, N)}, as of
            `edgeemo.export.graph.build_deployed`.

    Returns:
        A `keras.Model` with the same inputs, outputs and predictions; `network` itself if it has no
        hard-swish.
    """
    replacer = _HardSwishReplacer()
    if not any(map(replacer.may_replace, network._flatten_layers())):
        return network
    keras = import_keras()
    inputs = keras.Input(batch_shape=network.inputs[0].shape, name=INPUT)
    (output,) = keras.tree.flatten(replacer.apply(network, inputs))
    return keras.Model(inputs, {OUTPUT: output}, name=NAME)


class _HardSwishReplacer(Rebuilder):
    """Replacement of hard-swish activations."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: dict[int, Callable[[Any], Any]] = {}

    def may_replace(self, layer: Any) -> bool:
        return (
            isinstance(layer, self.keras.layers.Activation)
            and layer.activation is self.keras.activations.hard_swish
        )

    def replace(self, layer: Any, tensor: Any) -> Any | None:
        if id(layer) not in self._parts:
            self._parts[id(layer)] = self._build_parts(layer.name)
        return self._parts[id(layer)](tensor)

    def _build_parts(self, name: str) -> Callable[[Any], Any]:
        layers = self.keras.layers
        shift = layers.Rescaling(1.0, _NEARLY_3, name=f"{name}_shift")
        gate = layers.ReLU(max_value=6, name=f"{name}_gate")
        product = layers.Multiply(name=f"{name}_product")
        sixth = layers.Rescaling(1 / 6, name=f"{name}_sixth")
        return lambda tensor: sixth(product([tensor, gate(shift(tensor))]))
