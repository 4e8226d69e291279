"""The deployed network: one image at a time, named input and output, nothing for training only.

A fixed batch of 1 leaves no shape arithmetic in the converted file and lets XNNPACK take the
network in one piece.

A batch normalisation that no linear layer in front can absorb (after a ReLU, say) is two
operations, multiply and add. In int8 each of them would round the whole tensor to 8 bits again,
with one scale for the multipliers of all channels. As a depthwise 1x1 convolution it rounds once,
its multipliers have a scale per channel and its addends 32 bits. On a network of three such layers,
trained on an equalised copy of FER2013, that took int8 from 8 to 12 flipped predictions of 600 to
1 to 3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo.errors import ExportError
from edgeemo.export.rebuild import Rebuilder
from edgeemo.model.folder import SPEC
from edgeemo.model.keras import find_shape_problem, import_keras

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeemo.model.spec import ModelSpec

NAME = "edgeemo"
"""Name of the deployed network; part of its tensors' names, so it is the same everywhere."""

INPUT = "image"
OUTPUT = "prob"


def build_deployed(model: Any, spec: ModelSpec) -> Any:
    """Return the network to convert.

    Args:
        model: A `keras.Model`, as of `edgeemo.model.keras.load_reference_model`; its weights are
            shared, not copied.
        spec: Spec of the model, for the shape of one image.

    Returns:
        A `keras.Model` from ``image`` (1, H, W, C) to {"prob": (1, `ModelSpec.output_count`)}, both
        float32, whose predictions are those of `model` up to float rounding.

    Raises:
        ExportError: If the model's shapes are not the spec's.
    """
    problem = find_shape_problem(model, spec)
    if problem:
        raise ExportError(f"the model contradicts {SPEC}: {problem}; train or import it again")
    keras = import_keras()
    inputs = keras.Input(batch_shape=(1, *spec.input_shape), name=INPUT)
    (output,) = keras.tree.flatten(_NormalisationReplacer().apply(model, inputs))
    return keras.Model(inputs, {OUTPUT: output}, name=NAME)


class _NormalisationReplacer(Rebuilder):
    """Replacement of batch normalisations by depthwise convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self._affines: dict[int, dict[bytes, Callable[[Any], Any]]] = {}

    def may_replace(self, layer: Any) -> bool:
        return isinstance(layer, self.keras.layers.BatchNormalization)

    def replace(self, layer: Any, tensor: Any) -> Any | None:
        if not self._stands_alone(layer, tensor):
            return None
        multiplier, addend = _compute_affine(layer)
        if self._follows_rectified_convolution(tensor):
            tensor = self._scale_convolution(tensor, np.abs(multiplier))
            multiplier = np.sign(multiplier)
        return self._get_affine(layer, multiplier, addend, rank=len(tensor.shape))(tensor)

    def _stands_alone(self, layer: Any, tensor: Any) -> bool:
        """Return whether a batch normalisation is over channels and no linear layer absorbs it."""
        layers = self.keras.layers
        rank = len(tensor.shape)
        if rank not in (2, 4) or layer.axis not in (-1, rank - 1):
            return False
        producer = tensor._keras_history.operation
        linear = isinstance(producer, (layers.Conv2D, layers.DepthwiseConv2D, layers.Dense))
        return not (linear and producer.activation is self.keras.activations.linear)

    def _follows_rectified_convolution(self, tensor: Any) -> bool:
        producer = tensor._keras_history.operation
        return (
            type(producer) is self.keras.layers.Conv2D
            and producer.activation is self.keras.activations.relu
            and producer.use_bias
        )

    def _scale_convolution(self, tensor: Any, factors: np.ndarray) -> Any:
        """Return the output of the ReLU convolution behind a tensor, scaled per channel.

        relu(f x) = f relu(x) for factors f of 0 or more: in int8 the one scale of all channels then
        rounds each of them as finely as the next layer needs (the idea of cross-layer equalisation,
        Nagel et al., 2019).
        """
        operation, node_index, _ = tensor._keras_history
        (source,) = operation._inbound_nodes[node_index].input_tensors
        config = {**operation.get_config(), "name": f"{operation.name}_scaled"}
        scaled = type(operation).from_config(config)
        scaled.build(source.shape)
        kernel, bias = operation.get_weights()
        scaled.set_weights([kernel * factors, bias * factors])
        return scaled(source)

    def _get_affine(
        self, layer: Any, multiplier: np.ndarray, addend: np.ndarray, *, rank: int
    ) -> Callable[[Any], Any]:
        """Return the function multiplier * x + addend per channel, a depthwise convolution."""
        same = self._affines.setdefault(id(layer), {})
        key = multiplier.tobytes()  # a shared layer may have been folded in one place alone
        if key not in same:
            name = f"{layer.name}_affine" + (f"_{len(same)}" if same else "")
            same[key] = self._build_affine(name, multiplier, addend=addend, rank=rank)
        return same[key]

    def _build_affine(
        self, name: str, multiplier: np.ndarray, *, addend: np.ndarray, rank: int
    ) -> Callable[[Any], Any]:
        layers, channels = self.keras.layers, len(multiplier)
        depthwise = layers.DepthwiseConv2D(1, name=name, dtype="float32")
        depthwise.build((None, None, None, channels))
        depthwise.set_weights([multiplier.reshape(1, 1, channels, 1), addend])
        image = layers.Reshape((1, 1, channels), name=f"{name}_in")
        row = layers.Reshape((channels,), name=f"{name}_out")

        def apply(tensor: Any) -> Any:
            return depthwise(tensor) if rank == 4 else row(depthwise(image(tensor)))

        return apply


def _compute_affine(layer: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return multiplier and addend, (C,) float32, of a batch normalisation at inference.

    y = gamma * (x - mean) / sqrt(variance + epsilon) + beta (Ioffe and Szegedy, 2015).
    """
    mean, variance = (
        np.asarray(value, np.float64) for value in (layer.moving_mean, layer.moving_variance)
    )
    gamma = np.asarray(layer.gamma, np.float64) if layer.scale else np.ones_like(mean)
    beta = np.asarray(layer.beta, np.float64) if layer.center else np.zeros_like(mean)
    multiplier = gamma / np.sqrt(variance + layer.epsilon)
    return multiplier.astype(np.float32), (beta - mean * multiplier).astype(np.float32)
