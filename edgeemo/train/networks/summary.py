"""A Keras model's layers, as the report lists them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class LayerRow:
    """One layer.

    Attributes:
        name: Its name in the model.
        kind: Its class.
        output_shape: Of one image, without the batch; () where it has none of its own.
        parameters: Number of its weights, trained or not.
    """

    name: str
    kind: str
    output_shape: tuple[int | None, ...]
    parameters: int


def summarize_layers(model: Any) -> tuple[LayerRow, ...]:
    """Every layer of a Keras model, in order; a model inside a model is one row."""
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
    except (AttributeError, ValueError):  # several outputs, or a layer used at several places
        return ()
    return tuple(shape[1:])
