from __future__ import annotations

import numpy as np

from edgeemo.export.graph import deployable
from edgeemo.export.saturate import saturated
from edgeemo.spec import ModelSpec

_SPEC = ModelSpec(labels=("happy", "sad"), height=12, width=12, channels=1)


def _network(keras, *, nested=False, classes=1):
    layers = keras.layers
    body = [layers.Conv2D(6, 3, activation="relu"), layers.Flatten()]
    last = layers.Dense(classes, activation="sigmoid" if classes == 1 else "softmax")
    inner = keras.Sequential([keras.Input((12, 12, 1)), *body, last])
    if not nested:
        return inner
    inputs = keras.Input((12, 12, 1))
    return keras.Model(inputs, inner(inputs))


def test_no_probability_moves_far():
    import keras

    keras.utils.set_random_seed(3)
    original = deployable(_network(keras), _SPEC)
    clamped = saturated(original)
    assert clamped is not original
    for seed in range(20):
        image = np.random.default_rng(seed).random((1, 12, 12, 1), np.float32)
        moved = np.abs(np.asarray(original(image)["prob"]) - np.asarray(clamped(image)["prob"]))
        assert moved.max() <= 0.008


def test_other_endings_are_left_alone():
    import keras

    deep = deployable(_network(keras, nested=True), _SPEC)
    assert saturated(deep) is deep

    spec = ModelSpec(labels=("a", "b", "c"), height=12, width=12, channels=1, activation="softmax")
    network = deployable(_network(keras, classes=3), spec)
    assert saturated(network) is network
