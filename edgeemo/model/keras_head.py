"""The head of a Keras model: whether its output is a probability, by its last operations.

Values on some images would not tell: those of a ReLU or of a linear layer may happen to lie in
[0, 1]. The traced graph does, however a layer is written: as an activation, a layer, operations
one by one, or in a SavedModel.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

from edgeemo.model.graph_node import OPERATIONS, GraphNode
from edgeemo.model.keras import freeze
from edgeemo.model.layer_names import name_layer
from edgeemo.utils.redirect import drop_output

NAMED = frozenset({*OPERATIONS.values(), "linear"})
"""Operations that `ModelHead.operation` has a plain name for."""

_TOLERANCE = 1e-3


@dataclass(frozen=True, kw_only=True)
class ModelHead:
    """The end of a model.

    Attributes:
        operation: Name of the last operation that changes values, in words.
        layer: Name of its layer; "" where that is unknown.
        count: Number of outputs.
        low: Smallest possible output.
        high: Largest possible output.
        adds_up: Whether the outputs of an image are shares of 1.
    """

    operation: str
    layer: str
    count: int
    low: float
    high: float
    adds_up: bool

    def __str__(self) -> str:
        return f"{self.operation} (layer {self.layer!r})" if self.layer else self.operation

    @property
    def is_probability(self) -> bool:
        """Return whether the output is one probability, or one for each of several labels."""
        if self.count > 1:
            return self.adds_up
        return self.low >= 0 and self.high <= 1 + _TOLERANCE and not self.is_constant

    @property
    def is_constant(self) -> bool:
        """Return whether it is a softmax over one output, which is always 1."""
        return self.count == 1 and self.adds_up


def find_head(model: Any, input_shape: tuple[int, ...]) -> ModelHead:
    """Return the head of a Keras model.

    Args:
        model: A `keras.Model` with one output, (N, outputs).
        input_shape: (H, W, C).
    """
    with drop_output(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras warns of heads that are refused with better words
        frozen = freeze(model, input_shape)
    (output,) = frozen.outputs
    end = GraphNode(output.op)
    low, high = end.limits
    last = end.skip_neutral()
    return ModelHead(
        operation=last.describe(),
        layer=name_layer(model, last.operation.name),
        count=int(output.shape[-1]),
        low=low,
        high=high,
        adds_up=abs((end.share or 0) - 1) <= _TOLERANCE,
    )
