from __future__ import annotations

import numpy as np
import pytest

from edgeemo.engines.litert import LiteRTEngine
from edgeemo.errors import ExportError
from edgeemo.export.calibration_images import complete_range
from edgeemo.export.convert import Converter
from edgeemo.export.graph import build_deployed
from edgeemo.export.tflite import convert_to_tflite
from edgeemo.model.container import SealedModel

pytestmark = pytest.mark.tensorflow

DEAD = {"SHAPE", "STRIDED_SLICE", "PACK"}


@pytest.fixture(scope="module")
def load(tmp_path_factory, spec):
    def loaded(content, spec=spec):
        path = tmp_path_factory.mktemp("files") / "model.tflite"
        path.write_bytes(content)
        return LiteRTEngine(
            SealedModel(path=str(path), format="tflite", spec=spec, sha256="", size_bytes=0)
        )

    return loaded


@pytest.fixture(scope="module")
def run(ask):
    return lambda engine, pixels: np.array([engine.run(image) for image in pixels])


def _images(pixels):
    return complete_range(pixels) * np.float32(1 / 255)


def test_float32_is_one_partition_without_shape_arithmetic(plain, spec, load, run, ask, pixels):
    engine = load(convert_to_tflite(build_deployed(plain, spec), "float32"))
    assert engine.operations.count("DELEGATE") == 1
    assert not DEAD & set(engine.operations)
    assert engine.signature == {"serving_default": {"inputs": ["image"], "outputs": ["prob"]}}
    assert run(engine, pixels) == pytest.approx(ask(plain, pixels), abs=1e-5)


def test_normalised_int8_is_one_partition_of_integers(normalised, spec, load, run, ask, pixels):
    network = build_deployed(normalised, spec)
    engine = load(convert_to_tflite(network, "int8", calibration=_images(pixels)))
    assert engine.operations.count("DELEGATE") == 1
    assert not (DEAD | {"MUL", "ADD"}) & set(engine.operations)
    assert not [t["name"] for t in engine.tensors if np.issubdtype(t["dtype"], np.floating)]
    assert engine._input["quantization"] == (np.float32(1 / 255), 0)
    assert engine._output["quantization"] == (1 / 256, 0)
    assert run(engine, pixels) == pytest.approx(ask(normalised, pixels), abs=0.05)


def test_dark_calibration_keeps_raw_pixels_as_input(plain, spec, load, pixels):
    dark = pixels // 20
    engine = load(convert_to_tflite(build_deployed(plain, spec), "int8", calibration=_images(dark)))
    scale, zero_point = engine._input["quantization"]
    assert (np.float32(scale), zero_point) == (np.float32(1 / 255), 0)


def test_a_linear_layer_absorbs_its_normalisation(keras, shaken, spec, load):
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input(spec.input_shape),
            layers.Conv2D(4, 3),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    engine = load(convert_to_tflite(build_deployed(shaken(model), spec), "float32"))
    assert not {"MUL", "ADD", "DEPTHWISE_CONV_2D"} & set(engine.operations)


def test_an_operator_that_tflite_lacks_is_named_in_one_line(keras, spec):
    class Digamma(keras.layers.Layer):
        def call(self, x):
            import tensorflow as tf

            return tf.math.digamma(x + 1)

    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input(spec.input_shape),
            Digamma(name="odd"),
            layers.Flatten(),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    with pytest.raises(ExportError) as caught:
        convert_to_tflite(build_deployed(model, spec), "float32")
    assert str(caught.value) == (
        "float32.tflite cannot be made: TFLite has no operator for Digamma; replace layer 'odd'"
    )


def test_int8_without_calibration_is_refused(plain, spec):
    with pytest.raises(ExportError, match="no calibration"):
        convert_to_tflite(build_deployed(plain, spec), "int8")


def test_nothing_reaches_the_screen(plain, spec, capfd):
    convert_to_tflite(build_deployed(plain, spec), "float16")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("unroll", [False, True])
def test_int8_of_a_recurrent_layer_is_refused_before_it_crashes(keras, spec, pixels, unroll):
    height, width, channels = spec.input_shape
    layers = keras.layers
    rows = keras.Sequential(
        [
            keras.Input(spec.input_shape),
            layers.Reshape((height, width * channels)),
            layers.GRU(2, unroll=unroll),
            layers.Dense(len(spec.labels) if len(spec.labels) > 2 else 1, activation="sigmoid"),
        ]
    )
    network = build_deployed(rows, spec)
    converter = Converter(network, spec, calibration=_images(pixels[:2]))
    assert converter.convert("float32", "tflite")
    if unroll:  # the remedy that the message names
        assert converter.convert("int8", "tflite")
        return
    with pytest.raises(ExportError, match=r"int8\.tflite cannot be made: .*loop.*unroll=True"):
        converter.convert("int8", "tflite")
