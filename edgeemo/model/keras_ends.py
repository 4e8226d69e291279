"""Scaling in front of a Keras model, and a sigmoid or softmax behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeemo.model.input_spec import SCALE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.model.scaling import Head, Scaling

_OUTER = "edgeemo_scaled"
_SCALING = "edgeemo_scaling"  # named, since Keras numbers its layers within a process
_HEAD = "edgeemo_head"


def add_ends(
    keras: Any,
    model: Any,
    input_shape: Sequence[int],
    *,
    scaling: Scaling,
    head: Head = "probability",
) -> Any:
    """Return a model from [0, 1], RGB, to probabilities.

    Args:
        keras: The keras package.
        model: A `keras.Model`.
        input_shape: (H, W, C).
        scaling: The input that the model was trained with.
        head: Meaning of its output.

    Returns:
        `model` itself if nothing has to change, else a functional model around it, whose batch size
        is open. A SavedModel's fixed batch size cannot be opened and stays.
    """
    own_batch = model.input_shape[0]
    is_saved_model = any(type(layer).__name__ == "TFSMLayer" for layer in model.layers)
    has_ends = scaling.is_identity and head == "probability"
    if has_ends and (own_batch is None or is_saved_model):
        return model
    batch = own_batch if is_saved_model else None
    inputs = keras.Input(batch_shape=(batch, *input_shape), name="image")
    outputs = model(inputs if scaling.is_identity else _scale(keras, inputs, scaling))
    if head == "logit":
        activation = "sigmoid" if outputs.shape[-1] == 1 else "softmax"
        outputs = keras.layers.Activation(activation, name=_HEAD)(outputs)
    return keras.Model(inputs, outputs, name=_OUTER)


def _scale(keras: Any, inputs: Any, scaling: Scaling) -> Any:
    """Return the input that a model takes, made from [0, 1].

    Channels of their own are scaled by a convolution, which int8 rounds with a scale per channel.
    """
    import numpy as np

    if not scaling.needs_colour:
        layer = keras.layers.Rescaling(scaling.scale[0] / SCALE, scaling.offset[0], name=_SCALING)
        return layer(inputs)
    scale, offset = scaling.spread()
    kernel = np.diag(np.asarray(scale) / SCALE)
    kernel = kernel[::-1] if scaling.bgr else kernel
    convolution = keras.layers.Conv2D(3, 1, name=_SCALING, dtype="float32")
    convolution.build(inputs.shape)
    convolution.set_weights([kernel.astype(np.float32)[None, None], np.asarray(offset, np.float32)])
    return convolution(inputs)
