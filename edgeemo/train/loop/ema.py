"""Exponential moving average (EMA) of a network's weights, which is then used as the model.

After every step each average becomes ``m * average + (1 - m) * weight`` (B. Polyak and A.
Juditsky, "Acceleration of stochastic approximation by averaging", 1992, here with exponentially
falling shares). In the first steps the momentum m is lowered to ``(1 + t) / (10 + t)`` after t
steps, as `tf.train.ExponentialMovingAverage` does, so that the random initial weights fade soon.

All weights are averaged, the statistics of batch normalisation like the trained ones, since they
belong together. Keras' own ``use_ema`` does not do: it averages trained weights alone, and
swapping its averages in for the validation rounds the weights that are trained (decision 8).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeemo.model.keras import import_keras

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray


def make_ema(model: Any, momentum: float) -> ExponentialMovingAverage:
    """Return the moving average of a network's weights, for Keras' backend; arguments as there."""
    on_jax = import_keras().backend.backend() == "jax"
    return (_JaxMovingAverage if on_jax else ExponentialMovingAverage)(model, momentum)


class ExponentialMovingAverage:
    """The moving average of a network's weights; it starts as a copy of them.

    Args:
        model: A built Keras model on TensorFlow.
        momentum: m, in (0, 1): the average is over about 1 / (1 - m) steps.
    """

    def __init__(self, model: Any, momentum: float) -> None:
        import tensorflow as tf

        self._momentum = momentum
        self._weights = [weight.value for weight in model.weights]
        self._means = [tf.Variable(weight, trainable=False) for weight in self._weights]
        self._steps = tf.Variable(0, dtype=tf.int64, trainable=False)
        self._compiled_swap = tf.function(self._swap)

    @property
    def variables(self) -> list[Any]:
        """Return the variables that a checkpoint keeps: the averages and the number of steps."""
        return [*self._means, self._steps]

    def update(self) -> None:
        """Update the averages after a step, within the compiled step."""
        import tensorflow as tf

        steps = tf.cast(self._steps, tf.float32)
        share = 1 - tf.minimum(self._momentum, (1 + steps) / (10 + steps))
        for mean, weight in zip(self._means, self._weights, strict=True):
            if weight.dtype.is_floating:
                mean.assign_sub((mean - weight) * tf.cast(share, weight.dtype))
            else:  # a counter has no mean
                mean.assign(weight)
        self._steps.assign_add(1)

    def get_weights(self) -> list[NDArray[np.float32]]:
        """Return the averages, in the order of the model's weights."""
        return [mean.numpy() for mean in self._means]

    def restore(self, values: Sequence[NDArray[np.float32]]) -> None:
        """Assign the values of a checkpoint to `variables`."""
        for variable, value in zip(self.variables, values, strict=True):
            variable.assign(value)

    def make_callback(self, keras: Any) -> Any:
        """Return a Keras callback that validates with the averages."""
        return keras.callbacks.LambdaCallback(
            on_test_begin=lambda _: self._compiled_swap(),
            on_test_end=lambda _: self._compiled_swap(),
        )

    def _swap(self) -> None:
        """Swap the model's weights and the averages, to the bit."""
        import tensorflow as tf

        for mean, weight in zip(self._means, self._weights, strict=True):
            kept = tf.identity(weight)
            weight.assign(mean)
            mean.assign(kept)


class _JaxMovingAverage(ExponentialMovingAverage):
    """The same on JAX, where a step has its own copy of the weights until the epoch ends."""

    def __init__(self, model: Any, momentum: float) -> None:
        import jax

        keras = import_keras()
        self._momentum = momentum
        self._weights = list(model.weights)
        self._means = [
            keras.Variable(weight.numpy(), dtype=weight.dtype, trainable=False)
            for weight in self._weights
        ]
        self._steps = keras.Variable(0, dtype="int32", trainable=False)
        self._step = jax.jit(self._update_values)
        self._compiled_swap = self._swap

    def update(self) -> None:
        """Do nothing: the callback updates."""

    def make_callback(self, keras: Any) -> Any:
        """Return a Keras callback that updates after a step and validates with the averages."""
        callback = super().make_callback(keras)
        callback.on_train_batch_end = lambda batch, logs=None: self._update_from(callback.model)
        return callback

    def _update_from(self, model: Any) -> None:
        """Update the averages from the copies that the last step left."""
        state: dict[int, Any] = {}
        for name in ("trainable_variables", "non_trainable_variables"):
            variables = getattr(model, name)
            state |= zip(map(id, variables), model._jax_state[name], strict=True)
        means = [mean.value for mean in self._means]
        weights = [state[id(weight)] for weight in self._weights]
        updated, steps = self._step(means, weights, self._steps.value)
        for mean, value in zip(self._means, updated, strict=True):
            mean.assign(value)
        self._steps.assign(steps)

    def _update_values(self, means: list[Any], weights: list[Any], steps: Any) -> Any:
        import jax.numpy as jnp

        count = steps.astype(jnp.float32)
        share = 1 - jnp.minimum(self._momentum, (1 + count) / (10 + count))
        updated = [
            mean - (mean - weight) * share.astype(weight.dtype)
            if jnp.issubdtype(weight.dtype, jnp.floating)
            else weight
            for mean, weight in zip(means, weights, strict=True)
        ]
        return updated, steps + 1

    def _swap(self) -> None:
        for mean, weight in zip(self._means, self._weights, strict=True):
            kept = weight.value
            weight.assign(mean.value)
            mean.assign(kept)
