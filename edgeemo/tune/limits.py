"""Costs of a network on the device, known before it is trained, and their limits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from edgeemo.model.keras import import_keras
from edgeemo.train.networks.cost import iter_layers, measure_costs
from edgeemo.utils.options import Option

_PER_OUTPUT = 28
"""Bytes of int8.tflite per output channel besides its weights: the bias (4), and scale (4) and zero
point (8) of weights and bias."""

_REST = 11_000
"""Bytes of the graph and the metadata; of a small network the greatest part."""


@dataclass(frozen=True, kw_only=True)
class Footprint:
    """Costs of a network.

    Attributes:
        parameters: Number of weights.
        multiply_adds: Number of multiply-adds for one image.
        int8_bytes: Estimated size of int8.tflite.
    """

    parameters: int
    multiply_adds: int
    int8_bytes: int


_limit = partial(Option, group="Limits of the network")


@dataclass(frozen=True, kw_only=True)
class NetworkLimits:
    """Limits of a network; None for no limit."""

    max_params: Annotated[int | None, _limit("Maximum number of parameters.", minimum=1)] = None
    max_mmacs: Annotated[
        float | None, _limit("Maximum multiply-adds for one image, in millions.", above=0)
    ] = None
    max_size_kb: Annotated[
        float | None,
        _limit(
            "Maximum estimated size of int8.tflite, in kB of 1000 bytes.", metavar="KB", above=0
        ),
    ] = None

    def find_excesses(self, network: Footprint) -> dict[str, float]:
        """Return the limits that a network exceeds, in words, and the excess: 0.1 is 10 %."""
        checks = (
            ("parameters", network.parameters, self.max_params, ""),
            ("multiply-adds", network.multiply_adds / 1e6, self.max_mmacs, " million"),
            ("int8 file, estimated,", network.int8_bytes / 1000, self.max_size_kb, " kB"),
        )
        return {
            f"{name} {_format(value)}{unit} where {_format(limit)}{unit} is allowed": value
            / (limit or 1e-9)
            - 1
            for name, value, limit, unit in checks
            if limit is not None and value > limit
        }


def estimate_footprint(model: Any) -> Footprint:
    """Return the costs of a network.

    The size is one byte per weight of convolutions and dense layers, `_PER_OUTPUT` bytes per output
    channel and a constant; batch normalisation is folded. For plain networks it was within 2 kB of
    the converted files, for backbones up to 8 % too large.

    Args:
        model: A `keras.Model`, as of `edgeemo.train.build`.
    """
    counted = measure_costs(model)
    return Footprint(
        parameters=counted.parameters,
        multiply_adds=counted.multiply_adds,
        int8_bytes=_count_int8_bytes(model) + _REST,
    )


def _count_int8_bytes(model: Any) -> int:
    layers = import_keras().layers
    weighty = (layers.Conv2D, layers.DepthwiseConv2D, layers.Dense)
    return sum(
        math.prod(layer.kernel.shape) + _PER_OUTPUT * int(layer.output.shape[-1])
        for layer in iter_layers(model)
        if isinstance(layer, weighty)
    )


def _format(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"
