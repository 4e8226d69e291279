from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgeemo.errors import ExportError
from edgeemo.export.graph import build_deployed

pytestmark = pytest.mark.tensorflow


def _types(model):
    return [type(layer).__name__ for layer in model._flatten_layers()]


def test_predicts_as_the_reference_model(plain, spec, pixels, ask):
    network = build_deployed(plain, spec)
    assert ask(network, pixels) == pytest.approx(ask(plain, pixels), abs=1e-6)
    assert np.ptp(ask(plain, pixels)) > 0.01  # else anything would pass


def test_ends_are_named_and_the_batch_is_one(plain, spec):
    network = build_deployed(plain, spec)
    assert [tensor.name for tensor in network.inputs] == ["image"]
    assert network.input_shape == (1, 24, 24, 1)
    assert list(network.output) == ["prob"]


def test_normalisation_after_relu_becomes_a_depthwise_convolution(normalised, spec, pixels, ask):
    network = build_deployed(normalised, spec)
    assert "BatchNormalization" not in _types(network)
    assert _types(network).count("DepthwiseConv2D") == 2
    assert ask(network, pixels) == pytest.approx(ask(normalised, pixels), abs=1e-6)


def test_normalisation_after_a_linear_layer_is_left_to_the_converter(keras, shaken, spec):
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input(spec.input_shape),
            layers.Conv2D(4, 3),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    assert "BatchNormalization" in _types(build_deployed(shaken(model), spec))


def test_nested_and_shared_layers_and_rows_are_rebuilt(keras, shaken, spec, pixels, ask):
    layers = keras.layers
    inner_input = keras.Input((12, 12, 4))
    inner = keras.Model(
        inner_input,
        layers.BatchNormalization(name="same")(layers.ReLU()(inner_input)),
        name="inner",
    )
    image = keras.Input(spec.input_shape)
    norm = layers.BatchNormalization(scale=False, name="shared")
    found = norm(layers.ReLU()(layers.Conv2D(4, 3, strides=2, padding="same")(image)))
    found = layers.Add()([found, norm(inner(found))])
    row = layers.Dense(5, activation="relu")(layers.GlobalAveragePooling2D()(found))
    row = layers.BatchNormalization(center=False, name="same")(row)
    model = shaken(keras.Model(image, layers.Dense(1, activation="sigmoid")(row)))
    network = build_deployed(model, spec)
    assert "BatchNormalization" not in _types(network)
    assert ask(network, pixels) == pytest.approx(ask(model, pixels), abs=1e-6)


def test_a_model_that_is_not_what_the_spec_says_is_refused(plain, spec):
    with pytest.raises(ExportError, match=r"input \(24, 24, 1\).*\(25, 24, 1\)"):
        build_deployed(plain, replace(spec, height=25))
