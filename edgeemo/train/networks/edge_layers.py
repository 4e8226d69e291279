"""The layers of the edge family: stages of blocks, the mean over the image, dropout.

Every convolution is followed by batch normalisation, which export folds into it, and by ReLU where
the block has one: int8 consists of convolutions, additions and one mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeemo.model.keras import import_keras

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edgeemo.train.networks.edge import Edge, Stage

_DROPOUT = 0.2
_MOMENTUM = 0.9
"""Momentum of batch normalisation. Keras' default is 0.99: a few hundred images make ten steps an
epoch, and the first epochs would be validated with the statistics of earlier weights."""


def build_edge_features(network: Edge, image: Any) -> Any:
    """Apply the layers of a network up to its head.

    Args:
        network: The network.
        image: The Keras input, (N, H, W, C) in [0, 1].

    Returns:
        A Keras tensor, (N, K): the mean over the image of each of the K channels of the last stage,
        after dropout.
    """
    layers = import_keras().layers
    values = image
    for number, stage in enumerate(network.stages, start=1):
        if stage.halving == "m":
            values = layers.MaxPooling2D(2, name=f"s{number}_pool")(values)
        for block in range(1, stage.depth + 1):
            strides = 2 if stage.halving == "d" and block == 1 else 1
            values = _Block(stage, strides, f"s{number}b{block}")(values)
    values = layers.GlobalAveragePooling2D(name="pool")(values)
    return layers.Dropout(_DROPOUT, name="dropout")(values)


class _Block:
    """A block: a function from (N, H, W, C) to (N, H / strides, W / strides, width)."""

    def __init__(self, stage: Stage, strides: int, name: str) -> None:
        self._layers = import_keras().layers
        self._stage, self._strides, self._name = stage, strides, name

    def __call__(self, values: Any) -> Any:
        blocks: Mapping[str, Callable[[Any], Any]] = {
            "c": self._apply_plain,
            "r": self._apply_residual,
            "s": self._apply_separable,
            "i": self._apply_inverted,
            "f": self._apply_fused,
        }
        return blocks[self._stage.kind](values)

    def _apply_plain(self, values: Any) -> Any:
        return self._convolve(values, "conv", strides=self._strides)

    def _apply_residual(self, values: Any) -> Any:
        inner = self._convolve(values, "conv_1", strides=self._strides)
        inner = self._convolve(inner, "conv_2", relu=False)
        if values.shape[1:] != inner.shape[1:]:
            values = self._convolve(values, "shortcut", kernel=1, strides=self._strides, relu=False)
        total = self._layers.Add(name=f"{self._name}_add")([values, inner])
        return self._layers.ReLU(name=f"{self._name}_relu")(total)

    def _apply_separable(self, values: Any) -> Any:
        return self._convolve(self._convolve_depthwise(values), "point", kernel=1)

    def _apply_inverted(self, values: Any) -> Any:
        wide = values.shape[-1] * self._stage.expansion
        inner = values
        if self._stage.expansion > 1:
            inner = self._convolve(values, "expand", width=wide, kernel=1)
        inner = self._convolve(self._convolve_depthwise(inner), "project", kernel=1, relu=False)
        return self._add_input(values, inner)

    def _apply_fused(self, values: Any) -> Any:
        wide = values.shape[-1] * self._stage.expansion
        inner = self._convolve(values, "expand", width=wide, strides=self._strides)
        inner = self._convolve(inner, "project", kernel=1, relu=False)
        return self._add_input(values, inner)

    def _add_input(self, values: Any, inner: Any) -> Any:
        """Add the input where both have one shape."""
        if values.shape[1:] != inner.shape[1:]:
            return inner
        return self._layers.Add(name=f"{self._name}_add")([values, inner])

    def _convolve(
        self,
        values: Any,
        part: str,
        *,
        width: int | None = None,
        kernel: int | None = None,
        strides: int = 1,
        relu: bool = True,
    ) -> Any:
        convolution = self._layers.Conv2D(
            width or self._stage.width,
            kernel or self._stage.kernel,
            strides=strides,
            padding="same",
            use_bias=False,
            name=f"{self._name}_{part}",
        )
        return self._normalise(convolution(values), part, relu=relu)

    def _convolve_depthwise(self, values: Any) -> Any:
        depthwise = self._layers.DepthwiseConv2D(
            self._stage.kernel,
            strides=self._strides,
            padding="same",
            use_bias=False,
            name=f"{self._name}_depth",
        )
        return self._normalise(depthwise(values), "depth", relu=True)

    def _normalise(self, values: Any, part: str, *, relu: bool) -> Any:
        name = f"{self._name}_{part}"
        normalise = self._layers.BatchNormalization(momentum=_MOMENTUM, name=f"{name}_norm")
        values = normalise(values)
        return self._layers.ReLU(name=f"{name}_relu")(values) if relu else values
