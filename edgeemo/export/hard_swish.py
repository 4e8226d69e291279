"""For int8 TFLite alone: hard-swish written as operators that XNNPACK takes.

MobileNetV3's activation x relu6(x + 3) / 6 (Howard et al., 2019) becomes one HARD_SWISH operator,
for which XNNPACK has a float kernel but no integer one: every activation ends a partition, and
MobileNetV3-small falls into 19 pieces. As addition, ReLU6 and two products it stays in one.
The last product, by 1/6, loses nothing: its input and output differ in scale alone.
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
"""With 3 itself the converter would see through it and put HARD_SWISH back."""


def without_hard_swish(network: Any) -> Any:
    """The network with its hard-swish activations taken apart.

    Args:
        network: From ``image`` (1, H, W, C) to {"prob": (1, N)}, as
            `edgeemo.export.graph.deployable` gives it.

    Returns:
        A `keras.Model` of the same inputs and outputs that answers alike; `network` itself where
        there is none.
    """
    rewriting = _HardSwishes()
    if not any(map(rewriting.may_replace, network._flatten_layers())):
        return network
    keras = import_keras()
    inputs = keras.Input(batch_shape=network.inputs[0].shape, name=INPUT)
    (output,) = keras.tree.flatten(rewriting.apply(network, inputs))
    return keras.Model(inputs, {OUTPUT: output}, name=NAME)


class _HardSwishes(Rebuilder):
    """Replaces activations."""

    def __init__(self) -> None:
        super().__init__()
        self._apart: dict[int, Callable[[Any], Any]] = {}

    def may_replace(self, layer: Any) -> bool:
        return (
            isinstance(layer, self.keras.layers.Activation)
            and layer.activation is self.keras.activations.hard_swish
        )

    def replaced(self, layer: Any, tensor: Any) -> Any | None:
        if id(layer) not in self._apart:
            self._apart[id(layer)] = self._taken_apart(layer.name)
        return self._apart[id(layer)](tensor)

    def _taken_apart(self, name: str) -> Callable[[Any], Any]:
        layers = self.keras.layers
        shift = layers.Rescaling(1.0, _NEARLY_3, name=f"{name}_shift")
        gate = layers.ReLU(max_value=6, name=f"{name}_gate")
        product = layers.Multiply(name=f"{name}_product")
        sixth = layers.Rescaling(1 / 6, name=f"{name}_sixth")
        return lambda tensor: sixth(product([tensor, gate(shift(tensor))]))
