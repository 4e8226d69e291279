"""The MobileNets at their smallest size, untrained: what the conversion makes of them."""

from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from edgeemo.export.convert import Converter
from edgeemo.export.graph import build_deployed
from edgeemo.model.spec import ModelSpec
from edgeemo.train.networks.architectures import build

pytestmark = pytest.mark.tensorflow

_SPEC = ModelSpec(labels=("happy", "sad"), height=32, width=32, channels=1)


@pytest.fixture(scope="module")
def images():
    drawn = np.random.default_rng(3).random((8, 32, 32, 1), np.float32)
    drawn[0].flat[:2] = 0, 1
    return drawn


@pytest.fixture(scope="module", params=["mobilenet-v3-small", "mobilenet-v2"])
def network(request, keras, images):
    """With batch statistics of its own: without, its values would vanish from layer to layer."""
    keras.utils.set_random_seed(0)
    model = build(request.param, input_shape=(32, 32, 1), classes=2)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    model(images, training=True)
    return build_deployed(model, _SPEC)


@pytest.fixture(scope="module")
def float32(network):
    return Converter(network, _SPEC).convert("float32", "tflite")


def _interpreter(file):
    interpreter = Interpreter(model_content=file, num_threads=1)
    interpreter.allocate_tensors()
    return interpreter


def test_int8_is_one_partition_of_integers(network, images):
    interpreter = _interpreter(Converter(network, _SPEC, images).convert("int8", "tflite"))
    operators = [entry["op_name"] for entry in interpreter._get_ops_details()]
    assert operators.count("DELEGATE") == 1
    types = {np.dtype(entry["dtype"]) for entry in interpreter.get_tensor_details()}
    assert not [each for each in types if np.issubdtype(each, np.floating)]


def test_float32_predicts_as_the_reference_model(network, float32, images):
    interpreter = _interpreter(float32)
    (given,), (made,) = interpreter.get_input_details(), interpreter.get_output_details()
    for image in images:
        interpreter.set_tensor(given["index"], image[None])
        interpreter.invoke()
        wanted = np.asarray(network(image[None])["prob"])
        assert np.allclose(interpreter.get_tensor(made["index"]), wanted, atol=1e-3)  # untrained


@pytest.mark.parametrize("network", ["mobilenet-v3-small"], indirect=True)
def test_two_of_one_process_give_the_same_bytes(network, float32):
    """Keras numbers the activations of MobileNetV3 within the process."""
    model = build("mobilenet-v3-small", input_shape=(32, 32, 1), classes=2)
    again = build_deployed(model, _SPEC)
    again.set_weights(network.get_weights())
    assert Converter(again, _SPEC).convert("float32", "tflite") == float32
