from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from edgeemo.export.graph import build_deployed
from edgeemo.export.hard_swish import replace_hard_swish
from edgeemo.export.tflite import convert_to_tflite
from edgeemo.model.spec import ModelSpec

pytestmark = pytest.mark.tensorflow

_SPEC = ModelSpec(labels=("happy", "sad"), height=12, width=12, channels=1)


@pytest.fixture(scope="module")
def network(keras, shaken):
    """As MobileNetV3 has it: normalised, with squeeze and excitation, one activation used twice."""
    layers = keras.layers
    image = values = keras.Input((12, 12, 1))
    swish = layers.Activation("hard_swish")
    values = layers.BatchNormalization()(layers.Conv2D(6, 3, strides=2, padding="same")(values))
    values = swish(values)
    values = swish(layers.DepthwiseConv2D(3, padding="same")(values))
    gate = layers.GlobalAveragePooling2D(keepdims=True)(values)
    gate = layers.Activation("hard_sigmoid")(layers.Conv2D(6, 1)(gate))
    values = layers.Conv2D(8, 1)(layers.Multiply()([values, gate]))
    values = layers.Flatten()(layers.Activation("hard_swish")(values))
    return shaken(keras.Model(image, layers.Dense(1, activation="sigmoid")(values)))


@pytest.fixture(scope="module")
def images():
    drawn = np.random.default_rng(3).random((12, 12, 12, 1), np.float32)
    drawn *= np.linspace(0.2, 1, 12, dtype=np.float32)[:, None, None, None]
    drawn[0].flat[:2] = 0, 1
    return drawn


def _operators(file):
    interpreter = Interpreter(model_content=file, num_threads=1)
    interpreter.allocate_tensors()
    return Counter(entry["op_name"] for entry in interpreter._get_ops_details())


def test_int8_is_one_partition_and_was_four(network, images):
    plain = build_deployed(network, _SPEC)
    before, after = (
        _operators(convert_to_tflite(model, "int8", calibration=images))
        for model in (plain, replace_hard_swish(plain))
    )
    assert (before["HARD_SWISH"], before["DELEGATE"]) == (3, 4)
    assert (after["HARD_SWISH"], after["DELEGATE"]) == (0, 1)


def test_predicts_as_the_network(network, images):
    plain = build_deployed(network, _SPEC)
    apart = replace_hard_swish(plain)
    predictions = [
        [float(model(image[None])["prob"][0, 0]) for image in images] for model in (plain, apart)
    ]
    assert np.ptp(predictions[0]) > 1e-3
    assert np.allclose(*predictions, atol=2e-6)


def test_a_network_without_it_stays_as_it_is(plain, spec):
    network = build_deployed(plain, spec)
    assert replace_hard_swish(network) is network
