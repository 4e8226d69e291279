"""Rounding error of a Keras model: how far float32 takes its predictions from float64's.

It grows with the size of inputs and logits and with the depth. Another engine that computes the
same in float32 differs by a few times as much.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo.model.keras import import_keras
from edgeemo.model.keras_config import set_precision
from edgeemo.utils.redirect import drop_output

if TYPE_CHECKING:
    from numpy.typing import NDArray


def measure_rounding(model: Any, images: NDArray[np.float32]) -> float | None:
    """Return the largest difference between a model's predictions in float32 and in float64.

    Args:
        model: A `keras.Model`.
        images: (N, H, W, C) float32.

    Returns:
        The difference of two probabilities; None where the model has layers that cannot be built
        again in float64, as those of a SavedModel.
    """
    keras = import_keras()
    try:
        with drop_output():
            config = set_precision(keras.saving.serialize_keras_object(model), "float64")
            exact = keras.saving.deserialize_keras_object(config)
            exact.set_weights(model.get_weights())
            pairs = [(_call(exact, each), _call(model, each)) for each in images[:, None]]
    except Exception:  # Keras raises almost anything
        return None
    difference = max(float(np.abs(own - other).max()) for own, other in pairs)
    return difference if np.isfinite(difference) else None


def _call(model: Any, images: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.asarray(model(images, training=False), np.float64)
