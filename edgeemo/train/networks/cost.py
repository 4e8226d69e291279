"""The cost of a network: its parameters, and multiply-adds per image."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgeemo.model.keras import import_keras

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, kw_only=True)
class Costs:
    """The cost of a network.

    Attributes:
        parameters: Number of weights, trained or not.
        multiply_adds: Multiplications that are each added to a sum, for one image.
    """

    parameters: int
    multiply_adds: int


def measure_costs(model: Any) -> Costs:
    """Count the parameters and multiply-adds of a network.

    Convolutions and dense layers count: every weight of a kernel is used once per position of the
    output, padding included. Activations, pooling and biases do not count, nor does batch
    normalisation, which export folds away.

    Args:
        model: A functional `keras.Model` or Sequential on images of a fixed size, which uses each
            of its layers once, as do models inside it.

    Returns:
        The cost; layers of other kinds count as no multiply-adds.
    """
    return Costs(
        parameters=int(model.count_params()),
        multiply_adds=sum(_count_multiply_adds(layer) for layer in iter_layers(model)),
    )


def iter_layers(model: Any) -> Iterator[Any]:
    """Yield every layer of a model and of the models inside it."""
    keras = import_keras()
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from iter_layers(layer)
        else:
            yield layer


def _count_multiply_adds(layer: Any) -> int:
    layers = import_keras().layers
    if not isinstance(layer, (layers.Conv2D, layers.DepthwiseConv2D, layers.Dense)):
        return 0
    positions: int = math.prod(layer.output.shape[1:-1])
    weights: int = math.prod(layer.kernel.shape)
    return weights * positions
