"""What a network costs before it is trained: its parameters, and multiply-adds per answer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgeemo.model.keras import import_keras

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, kw_only=True)
class Costs:
    """What one network costs.

    Attributes:
        parameters: Number of its weights, trained or not.
        multiply_adds: Multiplications that are each added to a sum, for one image.
    """

    parameters: int
    multiply_adds: int


def measure_costs(model: Any) -> Costs:
    """Parameters and multiply-adds of a network.

    Convolutions and dense layers are counted, whose every kernel weight takes part once in each of
    their output's positions. Activations, pooling and biases are not, and batch normalisation is
    not, since export folds it away; nor is padding, which is multiplied like any pixel.

    Args:
        model: A functional `keras.Model` or Sequential on images of a fixed size, which uses each
            of its layers once; models inside it do, too.

    Returns:
        The costs; a layer of any other kind counts as no multiply-adds.
    """
    return Costs(
        parameters=int(model.count_params()),
        multiply_adds=sum(_count_multiply_adds(layer) for layer in iter_layers(model)),
    )


def iter_layers(model: Any) -> Iterator[Any]:
    """Every layer of a model, and of the models inside it."""
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
