"""Training with the rounding of int8 in the forward pass, so that the weights learn to bear it.

The network to fit has the layers and the variables of the model, and computes as the exported int8
file does: batch normalisation, with its statistics as they are, is folded into the convolution
before it; kernels are rounded per channel; the output of every operator of the file is rounded over
its range. What is kept is the model itself, an ordinary one in float.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from edgeemo.model.keras import import_keras
from edgeemo.train.loop.fake_quantisation import make_rounding, round_kernel
from edgeemo.train.networks.architectures import HEAD

if TYPE_CHECKING:
    from collections.abc import Callable

_UNROUNDED = (
    "Flatten",
    "InputLayer",
    "MaxPooling2D",
    "Reshape",
    "ZeroPadding2D",
)
"""Layers whose output has the values of their input, or that the file lacks."""


def make_int8_aware(model: Any, *, steps: int) -> Any:
    """Return a network with the layers of a model, which rounds as its int8 file does.

    Args:
        model: A functional model of `edgeemo.train.networks.architectures.build`: its
            convolutions, dense layers, batch normalisations and activations are rounded; what is
            between them is rounded at its output.
        steps: Number of training steps after which the ranges of the activations stay.

    Returns:
        A functional model whose variables are those of `model` and the ranges.
    """
    return _Rounder(model, steps).build()


class _Rounder:
    """Builder of the rounding network."""

    def __init__(self, model: Any, steps: int) -> None:
        self._keras, self._model, self._steps = import_keras(), model, steps
        self._readers = {
            id(layer): [node.operation for node in layer._outbound_nodes]
            for layer in model.operations
        }
        self._folded: dict[int, Any] = {}
        for layer in model.operations:
            norm = self._find_norm(layer)
            if norm is not None:
                self._folded[id(layer)] = norm
        self._norms = {id(norm) for norm in self._folded.values()}

    def build(self) -> Any:
        """Return the network."""
        return self._keras.models.clone_model(
            self._model, clone_function=lambda layer: layer, call_function=self._call
        )

    def _call(self, layer: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the output of a layer's rounding equivalent."""
        if id(layer) in self._norms:  # computed with the layer before it
            return args[0]
        if isinstance(layer, self._keras.layers.Dropout):  # its noise would hide that of rounding
            return args[0]
        layers, norm = self._keras.layers, self._folded.get(id(layer))
        if isinstance(layer, layers.Conv2D | layers.DepthwiseConv2D | layers.Dense):
            rounds = self._rounds(norm if norm is not None else layer)
            return _make_folding_class()(layer, norm, self._steps, rounds=rounds)(*args)
        if isinstance(layer, layers.Activation) and (
            layer.activation is self._keras.activations.hard_swish
        ):
            return _make_hard_swish_class()(layer.name, self._steps)(*args)
        output = layer(*args, **kwargs)
        return self._round(layer.name, output) if self._rounds(layer) else output

    def _round(self, name: str, tensor: Any) -> Any:
        return make_rounding(f"{name}_rounding", self._steps)(tensor)

    def _rounds(self, layer: Any) -> bool:
        """Return whether the output of a layer is that of an operator of the file."""
        if type(layer).__name__ in _UNROUNDED or layer.name == HEAD:
            return False
        readers = self._readers[id(layer)]
        return not (len(readers) == 1 and isinstance(readers[0], self._keras.layers.ReLU))

    def _find_norm(self, layer: Any) -> Any | None:
        """Return the batch normalisation that the export folds into a layer."""
        layers, activations = self._keras.layers, self._keras.activations
        readers = self._readers[id(layer)]
        if len(readers) != 1 or not isinstance(readers[0], layers.BatchNormalization):
            return None
        linear = isinstance(layer, layers.Conv2D | layers.DepthwiseConv2D | layers.Dense) and (
            layer.activation is activations.linear
        )
        rectified = type(layer) is layers.Conv2D and layer.activation is activations.relu
        return readers[0] if linear or rectified else None


@cache
def _make_folding_class() -> type:
    keras = import_keras()
    ops = keras.ops

    class Folding(keras.layers.Layer):  # type: ignore[misc, name-defined]
        """A convolution or dense layer with rounded weights, and the normalisation after it.

        After a ReLU the size of the multipliers goes into the convolution, and the rest is an
        operator of its own, as `edgeemo.export.graph` does.
        """

        def __init__(self, layer: Any, norm: Any, steps: int, *, rounds: bool) -> None:
            super().__init__(name=layer.name)
            self.layer, self.norm = layer, norm
            self.apart = norm is not None and layer.activation is keras.activations.relu
            self.inner = make_rounding("inner", steps) if self.apart else None
            self.outer = make_rounding("outer", steps) if rounds else None

        def call(self, values: Any) -> Any:
            kernel, bias = self.layer.kernel, self.layer.bias if self.layer.use_bias else 0.0
            multiplier, addend = self._compute_affine()
            size = ops.abs(multiplier) if self.apart else multiplier
            kernel = self._scale(ops.convert_to_tensor(kernel), size)
            bias = bias * size + (0.0 if self.apart else addend)
            output = self.layer.activation(self._apply(values, kernel) + bias)
            if self.inner is not None:
                output = self.inner(output) * ops.sign(multiplier) + addend
            return self.outer(output) if self.outer else output

        def _compute_affine(self) -> tuple[Any, Any]:
            norm = self.norm
            if norm is None:
                return 1.0, 0.0
            multiplier = ops.rsqrt(norm.moving_variance + norm.epsilon)
            multiplier = multiplier * norm.gamma if norm.scale else multiplier
            addend = -norm.moving_mean * multiplier
            return multiplier, addend + norm.beta if norm.center else addend

        def _scale(self, kernel: Any, multiplier: Any) -> Any:
            """Return the kernel with its multipliers, rounded per output channel."""
            if isinstance(self.layer, keras.layers.DepthwiseConv2D):
                flat = ops.reshape(kernel, (*kernel.shape[:2], -1))
                return ops.reshape(round_kernel(flat * multiplier), kernel.shape)
            return round_kernel(kernel * multiplier)

        def _apply(self, values: Any, kernel: Any) -> Any:
            layer = self.layer
            if isinstance(layer, keras.layers.Dense):
                return ops.matmul(values, kernel)
            depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
            convolve: Callable[..., Any] = ops.depthwise_conv if depthwise else ops.conv
            return convolve(
                values,
                kernel,
                strides=layer.strides,
                padding=layer.padding,
                dilation_rate=layer.dilation_rate,
                data_format=layer.data_format,
            )

        def compute_output_shape(self, shape: Any) -> Any:
            return self.layer.compute_output_shape(shape)

    return Folding


@cache
def _make_hard_swish_class() -> type:
    keras = import_keras()

    class HardSwish(keras.layers.Layer):  # type: ignore[misc, name-defined]
        """x relu6(x + 3) / 6, rounded after the gate and after the product."""

        def __init__(self, name: str, steps: int) -> None:
            super().__init__(name=name)
            self.gate = make_rounding("gate", steps)
            self.product = make_rounding("product", steps)

        def call(self, values: Any) -> Any:
            return self.product(values * self.gate(keras.ops.relu6(values + 3))) / 6

        def compute_output_shape(self, shape: Any) -> Any:
            return shape

    return HardSwish
