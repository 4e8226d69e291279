"""A running average of a network's weights over the steps of its training, used as the model.

After every step each average becomes ``m * average + (1 - m) * weight`` (Polyak and Juditsky 1992,
here with exponentially falling shares). In the first steps the momentum m is lowered to
``(1 + t) / (10 + t)`` after t steps, as `tf.train.ExponentialMovingAverage` proposes, so that the
random first weights are soon forgotten.

All weights are averaged, the statistics of batch normalisation like those that are trained: they
belong to each other. That is why Keras' own ``use_ema`` is not taken: it averages trained weights
alone; its `SwapEMAWeights` exchanges by adding and subtracting, which rounds the weights that are
trained; and it overwrites them at the end of each phase of a training, so that one that was
interrupted there would go on otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray


class ExponentialMovingAverage:
    """The average of a network's weights; it begins with what they are now.

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
        self._exchanged = tf.function(self._exchange)

    @property
    def variables(self) -> list[Any]:
        """What a checkpoint keeps: the averages, and how many steps they have seen."""
        return [*self._means, self._steps]

    def update(self) -> None:
        """Take in the weights after a step; within the compiled step."""
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
        """The averages, in the order of the model's weights."""
        return [mean.numpy() for mean in self._means]

    def restore(self, values: Sequence[NDArray[np.float32]]) -> None:
        """Give `variables` the values that a checkpoint kept."""
        for variable, value in zip(self.variables, values, strict=True):
            variable.assign(value)

    def make_callback(self, keras: Any) -> Any:
        """A Keras callback by which the averages are what is validated."""
        return keras.callbacks.LambdaCallback(
            on_test_begin=lambda _: self._exchanged(), on_test_end=lambda _: self._exchanged()
        )

    def _exchange(self) -> None:
        """Put the averages into the model and its weights into the averages, to the bit."""
        import tensorflow as tf

        for mean, weight in zip(self._means, self._weights, strict=True):
            kept = tf.identity(weight)
            weight.assign(mean)
            mean.assign(kept)
