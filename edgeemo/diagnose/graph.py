"""A quantised network whose layers can be run in integers or in float, one by one.

Both formats are rewritten as a float network that does what the integers do: an activation of a
layer "in int8" is rounded to the grid that the exported file gives it, and its weights are those
that the file holds. A layer "in float" is not rounded, and has the weights of the float32 file. So
each figure is about the shipped bytes, and costs no integer kernel that can be switched off.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from edgeemo.diagnose.quantisation import Quantisation


@dataclass(frozen=True, kw_only=True)
class Activation:
    """A tensor that is rounded.

    Attributes:
        key: Its name within the graph.
        layer: Layer of Keras that it belongs to.
        channels_axis: Axis of the channels.
        channels: Number of channels of the layer; the axis may hold them several times.
        quantisation: Its grid.
        is_output: Whether it holds the probabilities, whose grid is always 0 to 255/256.
    """

    key: str
    layer: str
    channels_axis: int
    channels: int
    quantisation: Quantisation
    is_output: bool = False


@dataclass(frozen=True, kw_only=True)
class Weights:
    """The quantised weights of a layer.

    Attributes:
        layer: Layer of Keras.
        per_channel: Whether every channel has a scale of its own.
        outlier: Largest weight of the channel with the largest ones over that of the median
            channel.
        channel: Number of that channel.
        channels: Number of channels.
        sqnr_db: Signal to quantisation noise in dB; None where the float weights are not known.
    """

    layer: str
    per_channel: bool
    outlier: float
    channel: int
    channels: int
    sqnr_db: float | None


class Run(Protocol):
    """A rewritten network, ready to run."""

    def predict(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the raw outputs, (K,), for one image, (H, W, C) in [0, 1]."""

    def read(self, key: str) -> NDArray[np.float32]:
        """Return an activation of the last prediction, before it is rounded."""


class Graph(Protocol):
    """A quantised network.

    Attributes:
        layers: Layers with quantised activations or weights, in the order of the network.
        activations: The tensors that are rounded, in the order of the network.
        weights: The quantised weights, in the order of the network.
        hard_swish: Layers that are hard-swish activations.
        last: Layer that gives the probabilities.
        kept: Layers with a kernel that the file keeps in float; without the last one in ONNX, which
            always is.
        readers: Layers that read the output of each one.
    """

    layers: tuple[str, ...]
    activations: tuple[Activation, ...]
    weights: tuple[Weights, ...]
    hard_swish: frozenset[str]
    last: str
    kept: tuple[str, ...]
    readers: Mapping[str, tuple[str, ...]]

    def build(
        self,
        quantised: Collection[str],
        *,
        narrow: Mapping[str, float] | None = None,
        weights_only: bool = False,
        keeps_activations: bool = False,
    ) -> Run:
        """Build the network with some layers in integers and the others in float.

        Args:
            quantised: Names of the layers in integers.
            narrow: Factors of the ranges of some activations, by their keys.
            weights_only: Whether no activation is rounded.
            keeps_activations: Whether `Run.read` is needed, which makes the network slower.
        """
