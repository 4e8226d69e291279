"""Rounding of weights and activations to 8 bits in a forward pass, as the exported graph rounds.

The gradient passes a rounding as if it were not there, and is 0 outside the range (straight-through
estimator; B. Jacob et al., "Quantization and training of neural networks for efficient
integer-arithmetic-only inference", 2018). TensorFlow only.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from edgeemo.model.keras import import_keras

if TYPE_CHECKING:
    from collections.abc import Callable

_SMALLEST = 1e-6
_SHARE = 0.05
"""Share of a new batch in the moving average of a range."""


def round_kernel(kernel: Any) -> Any:
    """Return a kernel rounded to int8 per output channel: symmetric, 254 steps.

    Args:
        kernel: (..., C) float32; C output channels.
    """
    import tensorflow as tf

    axes = list(range(len(kernel.shape) - 1))
    largest = tf.maximum(tf.reduce_max(tf.abs(tf.stop_gradient(kernel)), axes), _SMALLEST)
    return tf.quantization.fake_quant_with_min_max_vars_per_channel(
        kernel, -largest, largest, narrow_range=True
    )


@cache
def _make_rounding_class() -> type:
    import tensorflow as tf

    keras = import_keras()

    class ActivationRounding(keras.layers.Layer):  # type: ignore[misc, name-defined]
        """Rounds a tensor to the 255 steps of its range.

        The range follows the batches of the first `steps` steps, then it stays.
        """

        def __init__(self, steps: int, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self._limit = steps

        def build(self, _: Any) -> None:
            zero = keras.initializers.Zeros()
            self.low, self.high = (
                self.add_weight(shape=(), initializer=zero, trainable=False, name=name)
                for name in ("low", "high")
            )
            self.steps = self.add_weight(
                shape=(), initializer=zero, trainable=False, dtype="int32", name="steps"
            )

        def call(self, values: Any, training: bool = False) -> Any:
            if training:
                self._follow(values)
            return tf.quantization.fake_quant_with_min_max_vars(
                values, self.low.value, tf.maximum(self.high.value, self.low.value + _SMALLEST)
            )

        def _follow(self, values: Any) -> None:
            steps = self.steps.value
            share = tf.where(steps == 0, 1.0, tf.where(steps < self._limit, _SHARE, 0.0))
            for end, new in (
                (self.low, tf.minimum(tf.reduce_min(values), 0)),
                (self.high, tf.maximum(tf.reduce_max(values), 0)),
            ):
                end.assign(end.value + share * (tf.stop_gradient(new) - end.value))
            self.steps.assign(steps + 1)

        def compute_output_shape(self, shape: Any) -> Any:
            return shape

    return ActivationRounding


def make_rounding(name: str, steps: int) -> Callable[[Any], Any]:
    """Return a layer that rounds its input to 8 bits over the range of the batches so far.

    Args:
        name: Name of the layer.
        steps: Number of training steps in which the range follows the batches.
    """
    layer: Callable[[Any], Any] = _make_rounding_class()(steps, name=name)
    return layer
