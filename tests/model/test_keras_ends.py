"""Scaling and head as layers of the network, in both formats."""

from __future__ import annotations

import numpy as np
import pytest

from edgeemo.export.convert import Converter
from edgeemo.export.graph import build_deployed
from edgeemo.model.keras import import_keras
from edgeemo.model.keras_ends import add_ends
from edgeemo.model.scaling import PRESETS, make_scaling
from edgeemo.model.spec import ModelSpec

pytestmark = pytest.mark.tensorflow

SHAPE = (12, 12, 3)
SCALINGS = {
    **PRESETS,
    "per channel": make_scaling((1.0, 0.5, 0.25), (-1.0, -2.0, 3.0)),
    "BGR": make_scaling(1 / 255, bgr=True),
}


@pytest.fixture(scope="module")
def network():
    """A network that tells channels apart, on values of any scaling."""
    keras = import_keras()
    keras.utils.set_random_seed(4)
    image = keras.Input(SHAPE)
    row = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(4, 3)(image))
    row = keras.layers.LayerNormalization()(row)
    return keras.Model(image, keras.layers.Dense(3)(row))


@pytest.mark.parametrize("name", SCALINGS)
def test_the_network_scales_as_the_training_did(network, name):
    keras, scaling = import_keras(), SCALINGS[name]
    pixels = np.random.default_rng(1).integers(0, 256, (3, *SHAPE)).astype(np.float32)
    ordered = pixels[..., ::-1] if scaling.bgr else pixels
    scaled = ordered * np.array(scaling.scale) + np.array(scaling.offset)
    expected = keras.ops.softmax(network(scaled.astype(np.float32)))
    whole = add_ends(keras, network, SHAPE, scaling=scaling, head="logit")
    assert np.asarray(whole(pixels / 255)) == pytest.approx(np.asarray(expected), abs=2e-6)


def test_the_presets_are_those_of_keras_applications():
    keras = import_keras()
    pixels = np.random.default_rng(1).integers(0, 256, (1, *SHAPE)).astype(np.float32)
    for mode, name in (("caffe", "imagenet-caffe"), ("torch", "imagenet-torch"), ("tf", "[-1,1]")):
        expected = keras.applications.imagenet_utils.preprocess_input(pixels.copy(), mode=mode)
        identity = keras.Sequential([keras.Input(SHAPE), keras.layers.Activation("linear")])
        scaled = add_ends(keras, identity, SHAPE, scaling=PRESETS[name])
        assert np.asarray(scaled(pixels / 255)) == pytest.approx(expected, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("name", ["imagenet-caffe", "imagenet-torch"])
def test_every_file_holds_scaling_and_head(network, name):
    import onnxruntime
    from ai_edge_litert.interpreter import Interpreter

    spec = ModelSpec(labels=("a", "b", "c"), height=12, width=12, activation="softmax")
    whole = add_ends(import_keras(), network, SHAPE, scaling=PRESETS[name], head="logit")
    images = np.random.default_rng(1).random((16, *SHAPE), np.float32)
    images[0, 0, 0], images[0, 0, 1] = 0, 1
    expected = np.asarray(whole(images))
    converter = Converter(build_deployed(whole, spec), spec, images)
    session = onnxruntime.InferenceSession(converter.convert("float32", "onnx"))
    found = [session.run(["prob"], {"image": each[None]})[0][0] for each in images]
    assert found == pytest.approx(expected, abs=1e-5)
    interpreter = Interpreter(model_content=converter.convert("int8", "tflite"))
    interpreter.allocate_tensors()
    entry, output = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    for image, wanted in zip(images, expected, strict=True):
        interpreter.set_tensor(entry["index"], np.round(image[None] * 255).astype(np.uint8))
        interpreter.invoke()
        scores = interpreter.get_tensor(output["index"])[0] / 256
        assert scores == pytest.approx(wanted, abs=0.06)
