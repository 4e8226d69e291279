from __future__ import annotations

import numpy as np
import pytest

from edgeemo.export.graph import build_deployed
from edgeemo.export.logit import adapt_logit
from edgeemo.model.spec import ModelSpec

pytestmark = pytest.mark.tensorflow

_SPEC = ModelSpec(labels=("happy", "sad"), height=12, width=12, channels=1)


def _network(keras, *, nested=False, classes=1):
    layers = keras.layers
    body = [layers.Conv2D(6, 3, activation="relu"), layers.Flatten()]
    last = layers.Dense(classes, activation="sigmoid" if classes == 1 else "softmax")
    inner = keras.Sequential([keras.Input((12, 12, 1)), *body, last])
    if not nested:
        return inner
    for _ in range(2):
        inputs = keras.Input((12, 12, 1))
        inner = keras.Model(inputs, inner(inputs))
    return inner


@pytest.mark.parametrize("factor", [0.01, 1, 300])
def test_no_probability_moves_far(factor):
    import keras

    keras.utils.set_random_seed(3)
    plain = _network(keras)
    plain.layers[-1].set_weights([weight * factor for weight in plain.layers[-1].get_weights()])
    plain = build_deployed(plain, _SPEC)
    images = np.random.default_rng(1).random((24, 12, 12, 1), np.float32)
    rounded = adapt_logit(plain, images)
    assert rounded is not plain
    clamped = any("relu6" in layer.name for layer in rounded.layers)
    assert clamped == (factor == 300)
    for image in images:
        predictions = [np.asarray(model(image[None])["prob"]) for model in (plain, rounded)]
        assert np.abs(predictions[0] - predictions[1]).max() <= 0.008


def test_the_last_layer_is_found_however_deep():
    import keras

    keras.utils.set_random_seed(3)
    images = np.random.default_rng(1).random((4, 12, 12, 1), np.float32)
    deep = build_deployed(_network(keras, nested=True), _SPEC)
    rounded = adapt_logit(deep, images)
    assert rounded is not deep
    predictions = [
        [np.asarray(model(image[None])["prob"]) for image in images] for model in (deep, rounded)
    ]
    assert 0 < np.abs(np.subtract(*predictions)).max() <= 0.008


@pytest.mark.parametrize("nested", [False, True])
def test_a_sigmoid_may_be_a_layer_of_its_own(nested):
    import keras

    keras.utils.set_random_seed(3)
    images = np.random.default_rng(1).random((4, 12, 12, 1), np.float32)
    logits = keras.Sequential(
        [keras.Input((12, 12, 1)), keras.layers.Flatten(), keras.layers.Dense(1, name="last")]
    )
    inputs = keras.Input((12, 12, 1))
    tensor = logits(inputs) if nested else logits.layers[1](logits.layers[0](inputs))
    whole = keras.Model(inputs, keras.layers.Activation("sigmoid")(tensor))
    plain = build_deployed(whole, _SPEC)
    rounded = adapt_logit(plain, images)
    assert any(layer.name.startswith("last_") for layer in rounded.layers)
    predictions = [
        [np.asarray(model(image[None])["prob"]) for image in images] for model in (plain, rounded)
    ]
    assert 0 < np.abs(np.subtract(*predictions)).max() <= 0.008


def test_other_endings_are_left_alone():
    import keras

    images = np.zeros((1, 12, 12, 1), np.float32)
    spec = ModelSpec(labels=("a", "b", "c"), height=12, width=12, channels=1, activation="softmax")
    network = build_deployed(_network(keras, classes=3), spec)
    assert adapt_logit(network, images) is network
