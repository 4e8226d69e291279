"""The four networks of the tutorials, as data, and how to build them.

Every layer has a fixed name, the input is ``image`` and the output ``prob``, so that a network
built twice in one process exports to the same bytes.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from edgeemo.errors import TrainingError
from edgeemo.keras_model import import_keras

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_KERNEL = 3
_POOL = 2


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """A plain convolutional network: blocks of [Conv 3x3 ReLU, MaxPool 2x2], Flatten, two Dense.

    Attributes:
        filters: Output channels of each block's convolution.
        paddings: Padding of each block's convolution, "valid" or "same".
        batch_norm: Whether batch normalisation follows each convolution.
        dense: Units of the hidden layer.
        size: Height and width that the network takes unless told otherwise, in pixels.
    """

    filters: tuple[int, ...]
    paddings: tuple[str, ...] = ("valid", "valid", "valid")
    batch_norm: bool = False
    dense: int = 256
    size: int = 256

    def sides(self, side: int) -> list[int]:
        """Height (or width) after each block, in pixels, given the input's."""
        after = []
        for padding in self.paddings:
            side = (side - (_KERNEL - 1 if padding == "valid" else 0)) // _POOL
            after.append(side)
        return after

    @property
    def smallest(self) -> int:
        """The smallest input side, in pixels, that leaves one pixel after the last block."""
        return next(side for side in range(1, 4097) if min(self.sides(side)) >= 1)


ARCHITECTURES: Mapping[str, Architecture] = MappingProxyType(
    {
        "cnn-16-32-16": Architecture(filters=(16, 32, 16)),
        "cnn-16-32-16-same": Architecture(
            filters=(16, 32, 16), paddings=("same", "valid", "valid")
        ),
        "cnn-16-32-64": Architecture(filters=(16, 32, 64)),
        "cnn-bn-64": Architecture(filters=(32, 64, 128), batch_norm=True, dense=128, size=64),
    }
)
"""Name to network; iterating gives the names."""


def architecture(name: str) -> Architecture:
    """The network of that name.

    Raises:
        TrainingError: If there is none; the text names the nearest.
    """
    if name in ARCHITECTURES:
        return ARCHITECTURES[name]
    close = difflib.get_close_matches(name, ARCHITECTURES, n=1, cutoff=0.0)
    raise TrainingError(
        f"architecture {name!r} is unknown; did you mean {close[0]!r}? "
        f"There are: {', '.join(ARCHITECTURES)}"
    )


def check_size(name: str, side: int) -> None:
    """Refuse an input that the network's pooling would shrink to nothing.

    Args:
        name: A name of `ARCHITECTURES`.
        side: Height or width of the input, in pixels.

    Raises:
        TrainingError: If the name is unknown or the side too small.
    """
    smallest = architecture(name).smallest
    if side < smallest:
        raise TrainingError(f"{name} needs pictures of at least {smallest} pixels, not {side}")


def build(name: str, *, input_shape: Sequence[int], classes: int) -> Any:
    """A new network with freshly drawn weights.

    Args:
        name: A name of `ARCHITECTURES`.
        input_shape: (H, W, C); the network takes (N, H, W, C) float32 in [0, 1].
        classes: Number of classes, at least 2. Two give (N, 1), a sigmoid: the probability of the
            second class. More give (N, classes), a softmax.

    Returns:
        A `keras.Model` that is not compiled.

    Raises:
        TrainingError: If the name is unknown or the input too small for it.
        MissingExtraError: If TensorFlow is not installed.
    """
    check_size(name, min(input_shape[:2]))
    if classes < 2:
        raise TrainingError(f"a classifier needs two classes or more, not {classes}")
    keras = import_keras()
    inputs = keras.Input(tuple(input_shape), name="image")
    values = inputs
    for layer in _hidden_layers(keras, ARCHITECTURES[name]):
        values = layer(values)
    units, activation = (1, "sigmoid") if classes == 2 else (classes, "softmax")
    outputs = keras.layers.Dense(units, activation=activation, name="prob")(values)
    return keras.Model(inputs, outputs, name=name.replace("-", "_"))


def _hidden_layers(keras: Any, network: Architecture) -> list[Any]:
    layers = []
    for number, (filters, padding) in enumerate(
        zip(network.filters, network.paddings, strict=True), start=1
    ):
        layers.append(
            keras.layers.Conv2D(
                filters, _KERNEL, activation="relu", padding=padding, name=f"conv_{number}"
            )
        )
        if network.batch_norm:
            layers.append(keras.layers.BatchNormalization(name=f"norm_{number}"))
        layers.append(keras.layers.MaxPooling2D(_POOL, name=f"pool_{number}"))
    dense = keras.layers.Dense(network.dense, activation="relu", name="dense")
    return [*layers, keras.layers.Flatten(name="flatten"), dense]
