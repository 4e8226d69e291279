from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from edgeemo.export.graph import build_deployed
from edgeemo.export.pairs import pair_pixels
from edgeemo.export.tflite import convert_to_tflite
from edgeemo.model.spec import ModelSpec

pytestmark = pytest.mark.tensorflow


def _spec(shape):
    height, width, channels = shape
    return ModelSpec(labels=("happy", "sad"), height=height, width=width, channels=channels)


def _network(keras, shaken, shape, *, nested=False, **convolution):
    layers = keras.layers
    options = {"filters": 6, "kernel_size": 3, "activation": "relu", **convolution}
    inner = shaken(
        keras.Sequential(
            [
                keras.Input(shape),
                layers.Conv2D(**options),
                layers.MaxPooling2D(2),
                layers.Conv2D(5, 3, activation="relu"),
                layers.Flatten(),
                layers.Dense(1, activation="sigmoid"),
            ]
        )
    )
    if not nested:
        return build_deployed(inner, _spec(shape))
    inputs = keras.Input(shape)
    return build_deployed(keras.Model(inputs, inner(inputs)), _spec(shape))


def _paired_convolutions(network):
    return [layer for layer in network._flatten_layers() if layer.name.endswith("_pairs")]


def _pixels(shape):
    pixels = np.random.default_rng(5).random((12, *shape), np.float32)
    pixels[0].flat[:2] = 0, 1  # as calibration guarantees it
    return pixels


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize(
    ("shape", "kernel"),
    [((12, 16, 3), 3), ((13, 10, 1), 3), ((14, 12, 3), 5), ((14, 12, 1), (2, 3))],
)
def test_predicts_as_the_network(keras, shaken, shape, kernel, nested):
    network = _network(keras, shaken, shape, kernel_size=kernel, nested=nested)
    paired = pair_pixels(network)
    (convolution,) = _paired_convolutions(paired)
    assert convolution.get_weights()[0].shape[2:] == (2 * shape[2], 12)
    for image in _pixels(shape):
        predictions = [float(model(image[None])["prob"][0, 0]) for model in (network, paired)]
        assert predictions[0] == pytest.approx(predictions[1], abs=2e-6)


@pytest.mark.parametrize(
    ("shape", "convolution"),
    [
        ((12, 15, 3), {}),  # an odd width has a pixel without a neighbour
        ((12, 16, 3), {"padding": "same"}),
        ((20, 24, 3), {"strides": 2}),
        ((12, 16, 3), {"kernel_size": (3, 2)}),
        ((12, 16, 3), {"activation": "softmax"}),  # over channels, and a pair has twice as many
        ((12, 16, 5), {}),  # packed well enough
    ],
)
def test_what_cannot_be_paired_is_left_alone(keras, shaken, shape, convolution):
    if shape[2] == 5:
        image = keras.Input((12, 16, 3))
        inner = shaken(
            keras.Sequential(
                [
                    keras.Input((12, 16, 3)),
                    keras.layers.Conv2D(5, 3, padding="same"),
                    keras.layers.Conv2D(6, 3),
                    keras.layers.Flatten(),
                    keras.layers.Dense(1, activation="sigmoid"),
                ]
            )
        )
        network = build_deployed(keras.Model(image, inner(image)), _spec((12, 16, 3)))
    else:
        network = _network(keras, shaken, shape, **convolution)
    assert not _paired_convolutions(pair_pixels(network))


def test_int8_predicts_the_same_to_the_bit(keras, shaken):
    shape = (24, 32, 3)
    pixels = _pixels(shape)
    network = _network(keras, shaken, shape)
    files = [
        convert_to_tflite(model, "int8", calibration=pixels)
        for model in (network, pair_pixels(network))
    ]
    predictions = [_predictions(file, pixels) for file in files]
    assert predictions[0] == predictions[1]
    assert len(set(predictions[0])) > 3
    channels = [_convolution_channels(file) for file in files]
    assert channels == [3, 6]


def _interpreter(file):
    interpreter = Interpreter(model_content=file, num_threads=1)
    interpreter.allocate_tensors()
    return interpreter


def _predictions(file, pixels):
    interpreter = _interpreter(file)
    (source,), (target,) = interpreter.get_input_details(), interpreter.get_output_details()
    predictions = []
    for image in pixels:
        interpreter.set_tensor(source["index"], np.round(image[None] * 255).astype(np.uint8))
        interpreter.invoke()
        predictions.append(int(interpreter.get_tensor(target["index"])[0, 0]))
    return predictions


def _convolution_channels(file):
    """Input channels of the first convolution in the file, by its int8 weights (F, h, w, C)."""
    shapes = [
        tuple(tensor["shape"])
        for tensor in _interpreter(file).get_tensor_details()
        if len(tensor["shape"]) == 4 and tensor["shape"][1] == 3 and tensor["dtype"] == np.int8
    ]
    return min(shape[3] for shape in shapes)
