"""The networks by name: four of the tutorials, as data, the edge family, the backbones.

Every layer has a fixed name, the input is ``image`` and the output ``prob``, so that a network
built twice in one process exports to the same bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from edgeemo.errors import TrainingError
from edgeemo.model.keras import import_keras
from edgeemo.train.networks.backbones import (
    BACKBONES,
    PREPROCESSING,
    Backbone,
    build_backbone_features,
)
from edgeemo.train.networks.edge import EDGE, Edge, parse_edge
from edgeemo.train.networks.edge_layers import build_edge_features
from edgeemo.train.networks.pretrained import find_weights, load_backbone_weights
from edgeemo.train.networks.start import Start, load_start
from edgeemo.utils.suggest import describe_unknown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_KERNEL = 3
_POOL = 2

HEAD = "prob"
"""Name of the last layer, a dense one."""


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """A plain convolutional network: blocks of [Conv 3x3 ReLU, MaxPool 2x2], Flatten, two Dense.

    Attributes:
        filters: Output channels of each block's convolution.
        paddings: Padding of each block's convolution, "valid" or "same".
        batch_norm: Whether batch normalisation follows each convolution.
        dense: Units of the hidden layer.
        size: Default height and width of the input, in pixels.
    """

    filters: tuple[int, ...]
    paddings: tuple[str, ...] = ("valid", "valid", "valid")
    batch_norm: bool = False
    dense: int = 256
    size: int = 256

    is_backbone = False
    """Whether ImageNet weights are published."""

    def sides_after_blocks(self, side: int) -> list[int]:
        """Return height (or width) after each block, in pixels, for that of the input."""
        after = []
        for padding in self.paddings:
            side = (side - (_KERNEL - 1 if padding == "valid" else 0)) // _POOL
            after.append(side)
        return after

    @property
    def min_side(self) -> int:
        """Return the smallest side of the input, in pixels, that leaves a pixel at the end."""
        return next(side for side in range(1, 4097) if min(self.sides_after_blocks(side)) >= 1)


ARCHITECTURES: Mapping[str, Architecture | Edge | Backbone] = MappingProxyType(
    {
        "cnn-16-32-16": Architecture(filters=(16, 32, 16)),
        "cnn-16-32-16-same": Architecture(
            filters=(16, 32, 16), paddings=("same", "valid", "valid")
        ),
        "cnn-16-32-64": Architecture(filters=(16, 32, 64)),
        "cnn-bn-64": Architecture(filters=(32, 64, 128), batch_norm=True, dense=128, size=64),
        EDGE: parse_edge(EDGE),
        **BACKBONES,
    }
)
"""Name to network."""


_COMPOSED = re.compile(r"cnn((?:-[1-9]\d{0,3}){1,6})(-bn)?(-same)?(?:-d([1-9]\d{0,3}))?")


def get_architecture(name: str) -> Architecture | Edge | Backbone:
    """Return the network of that name.

    Args:
        name: A name of `ARCHITECTURES`; or ``cnn-F1-F2-...[-bn][-same][-dN]``: filters of one to
            six blocks, batch normalisation, the first convolution padded, and N units in the hidden
            layer instead of 256; or ``edge-...`` as of `edgeemo.train.networks.edge`.

    Raises:
        TrainingError: If there is none; the text suggests a similar name.
    """
    if name in ARCHITECTURES:
        return ARCHITECTURES[name]
    if name.startswith(f"{EDGE}-"):
        return parse_edge(name)
    composed = _COMPOSED.fullmatch(name)
    if not composed:
        raise TrainingError(describe_unknown("architecture", name, ARCHITECTURES))
    filters = tuple(map(int, composed[1].split("-")[1:]))
    return Architecture(
        filters=filters,
        paddings=("same" if composed[3] else "valid", *["valid"] * (len(filters) - 1)),
        batch_norm=bool(composed[2]),
        dense=int(composed[4] or 256),
    )


def check_size(name: str, side: int) -> None:
    """Refuse an input that is too small for the network's pooling.

    Args:
        name: A name of `ARCHITECTURES`.
        side: Height or width of the input, in pixels.

    Raises:
        TrainingError: If the name is unknown or the side too small.
    """
    min_side = get_architecture(name).min_side
    if side < min_side:
        raise TrainingError(f"{name} requires images of at least {min_side} pixels, not {side}")


def build(
    name: str,
    *,
    input_shape: Sequence[int],
    classes: int,
    weights: Path | str | None = None,
    labels: Sequence[str] = (),
) -> Any:
    """Build a network with random weights, or with those of another training.

    Args:
        name: A name of `ARCHITECTURES`.
        input_shape: (H, W, C); the network takes (N, H, W, C) float32 in [0, 1].
        classes: Number of classes, at least 2. Two give (N, 1), a sigmoid: the probability of the
            second class. More give (N, classes), a softmax.
        weights: None or "none" for random weights; "imagenet" for the published ones of a backbone,
            downloaded or from Keras' cache; a backbone's ``.h5`` or ``.weights.h5`` file without
            head; or a whole model of the same architecture: a model folder, a ``.keras`` file, or
            "happy-sad". A pretrained network is ready for fine-tuning, as `set_frozen` leaves it.
        labels: The classes in the order of the outputs: where the whole model knows all of them,
            the layer ``prob`` gets its weights, otherwise random ones.

    Returns:
        A `keras.Model` that is not compiled.

    Raises:
        TrainingError: If the name is unknown, the input too small for it, or the weights are
            missing or do not fit.
        MissingExtraError: If TensorFlow is not installed.
    """
    check_size(name, min(input_shape[:2]))
    if classes < 2:
        raise TrainingError(f"a classifier requires two classes or more, not {classes}")
    keras = import_keras()
    network = get_architecture(name)
    start = find_weights(name, network, input_shape=input_shape, weights=weights)
    image = keras.Input(tuple(input_shape), name="image")
    if isinstance(network, Backbone):
        source = network.build_application(input_shape)
        if start and not isinstance(start, Start):
            load_backbone_weights(name, source, start)
        values = build_backbone_features(network, image, source)
    elif isinstance(network, Edge):
        values = build_edge_features(network, image)
    else:
        values = image
        for layer in _make_hidden_layers(keras, network):
            values = layer(values)
    units, activation = (1, "sigmoid") if classes == 2 else (classes, "softmax")
    output = keras.layers.Dense(units, activation=activation, name=HEAD)(values)
    short = EDGE if isinstance(network, Edge) else name  # a part of every tensor's name
    model = keras.Model(image, output, name=short.replace("-", "_"))
    if start:
        if isinstance(start, Start):
            load_start(name, model, start, labels=labels, fixed=(PREPROCESSING,))
        set_frozen(model, frozen=False, pretrained=True)
    return model


def set_frozen(model: Any, *, frozen: bool, pretrained: bool) -> None:
    """Freeze all layers of a network but the last, or unfreeze them.

    The batch normalisation of a pretrained network keeps its statistics and stays frozen in any
    case: the statistics of a few small batches would not fit the pretrained weights.

    A compiled model has to be compiled again.

    Args:
        model: The network, as of `build`.
        frozen: Whether to train ``prob`` alone.
        pretrained: Whether its weights are pretrained; with random ones batch normalisation is
            trained.
    """
    keras = import_keras()
    for layer in model.layers:
        if layer.name not in (HEAD, PREPROCESSING):
            fixed = pretrained and isinstance(layer, keras.layers.BatchNormalization)
            layer.trainable = not (frozen or fixed)


def _make_hidden_layers(keras: Any, network: Architecture) -> list[Any]:
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
