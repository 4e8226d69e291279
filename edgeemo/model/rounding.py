"""Rounding error of a Keras model: how far float32 takes its predictions from float64's.

It grows with the size of inputs and logits and with the depth. Another engine that computes the
same in float32 differs by a few times as much.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo.model.graph_types import DOUBLE, TO_DOUBLE, change_node, expand_normalisation
from edgeemo.model.keras import freeze, import_keras
from edgeemo.model.keras_config import set_precision
from edgeemo.utils.redirect import drop_output

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_NORMALISATION = "FusedBatchNorm"


def measure_rounding(model: Any, images: NDArray[np.float32]) -> float | None:
    """Return the largest difference between a model's predictions in float32 and in float64.

    Args:
        model: A `keras.Model`.
        images: (N, H, W, C) float32.

    Returns:
        The difference of two probabilities; None where the model has operators that cannot compute
        in float64.
    """
    for build in (_build_model, _build_graph):  # a SavedModel cannot be built again, only its graph
        with suppress(Exception), drop_output():  # Keras and TensorFlow raise almost anything
            exact = build(model)
            pairs = [
                (exact(each), np.asarray(model(each, training=False), np.float64))
                for each in images[:, None]
            ]
            difference = max(float(np.abs(own - other).max()) for own, other in pairs)
            return difference if np.isfinite(difference) else None
    return None


def _build_model(model: Any) -> Callable[[NDArray[np.float32]], NDArray[np.float64]]:
    """Return a Keras model built again in float64, as a function of images."""
    keras = import_keras()
    config = set_precision(keras.saving.serialize_keras_object(model), "float64")
    exact = keras.saving.deserialize_keras_object(config)
    exact.set_weights(model.get_weights())
    return lambda images: np.asarray(exact(images, training=False), np.float64)


def _build_graph(model: Any) -> Callable[[NDArray[np.float32]], NDArray[np.float64]]:
    """Return the graph of a model in float64, as a function of images."""
    import tensorflow as tf

    frozen = freeze(model, model.input_shape[1:])
    graph = tf.compat.v1.GraphDef()
    for node in frozen.graph.as_graph_def().node:
        change_node(node, TO_DOUBLE)
        is_normalisation = node.op.startswith(_NORMALISATION) and not node.attr["is_training"].b
        graph.node.extend(expand_normalisation(node) if is_normalisation else [node])
    (image,), (output,) = frozen.inputs, frozen.outputs

    def predict(images: Any) -> Any:
        (found,) = tf.graph_util.import_graph_def(
            graph, input_map={image.name: images}, return_elements=[output.name]
        )
        return found

    exact = tf.compat.v1.wrap_function(predict, [tf.TensorSpec(image.shape, tf.as_dtype(DOUBLE))])
    return lambda images: np.asarray(exact(tf.constant(images, tf.float64)), np.float64)
