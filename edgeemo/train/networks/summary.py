"""The list of a Keras model's layers, for the report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class LayerRow:
    """A layer of a Keras model.

    Attributes:
        name: Name in the model.
        kind: Name of the class.
        output_shape: Shape of the output without the batch; () where it has no single output.
        parameters: Number of weights, trained or not.
    """

    name: str
    kind: str
    output_shape: tuple[int | None, ...]
    parameters: int


def summarize_layers(model: Any) -> tuple[LayerRow, ...]:
    """Return the layers of a Keras model in order; a model inside a model is one row."""
    return tuple(
        LayerRow(
            name=layer.name,
            kind=type(layer).__name__,
            output_shape=_output_shape(layer),
            parameters=int(layer.count_params()),
        )
        for layer in model.layers
    )


def _output_shape(layer: Any) -> tuple[int | None, ...]:
    try:
        shape = layer.output.shape
    except (AttributeError, ValueError):  # several outputs, or a layer that is used several times
        return ()
    return tuple(shape[1:])
