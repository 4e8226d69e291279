from __future__ import annotations

import numpy as np
import pytest

from edgeemo.errors import ExportError
from edgeemo.export.calibration_images import complete_range
from edgeemo.export.canonical import serialise
from edgeemo.export.graph import build_deployed
from edgeemo.export.onnx_float32 import OPSET, convert_to_onnx
from edgeemo.export.onnx_int8 import quantise

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module")
def network(normalised, spec):
    return build_deployed(normalised, spec)


@pytest.fixture(scope="module")
def converted(network, spec):
    return convert_to_onnx(network, spec)


def _run(model, pixels):
    import onnxruntime

    session = onnxruntime.InferenceSession(serialise(model), providers=["CPUExecutionProvider"])
    images = pixels * np.float32(1 / 255)
    return np.concatenate([session.run(["prob"], {"image": image[None]})[0] for image in images])


def _operators(model):
    return [node.op_type for node in model.graph.node]


def test_predicts_as_the_reference_model(converted, normalised, ask, pixels):
    assert _run(converted, pixels) == pytest.approx(ask(normalised, pixels), abs=1e-5)


def test_has_named_ends_and_no_shape_arithmetic(converted):
    graph = converted.graph
    assert [value.name for value in graph.input] == ["image"]
    assert [value.name for value in graph.output] == ["prob"]
    assert not {"Shape", "Gather", "Concat", "Slice"} & set(_operators(converted))
    assert [(entry.domain, entry.version) for entry in converted.opset_import] == [("", OPSET)]


def test_a_second_conversion_gives_the_same_bytes(converted, network, plain, spec):
    convert_to_onnx(build_deployed(plain, spec), spec)
    assert serialise(convert_to_onnx(network, spec)) == serialise(converted)


def test_int8_is_static_and_per_channel(converted, normalised, ask, pixels, capfd):
    images = complete_range(pixels) * np.float32(1 / 255)
    model = quantise(converted, images)
    assert capfd.readouterr() == ("", "")
    assert {"QuantizeLinear", "DequantizeLinear"} <= set(_operators(model))
    assert not [name for name in _operators(model) if "Dynamic" in name]
    assert _operators(model)[-1] == "Sigmoid"  # the probability is not rounded again
    weights = [w for w in model.graph.initializer if len(w.dims) > 1]
    types = [weight.data_type for weight in weights]
    assert types.count(1) == 1  # onnx.TensorProto.FLOAT: the last dense layer's
    assert set(types) == {1, 3}  # onnx.TensorProto.INT8: all others
    assert [w for w in model.graph.initializer if w.data_type == 1 and len(w.dims) == 1]
    assert _run(model, pixels) == pytest.approx(ask(normalised, pixels), abs=0.06)
    assert serialise(quantise(converted, images)) == serialise(model)


def test_an_operator_that_onnx_lacks_is_named_in_one_line(keras, spec):
    class Digamma(keras.layers.Layer):
        def call(self, x):
            import tensorflow as tf

            return tf.math.digamma(x + 1)

    layers = keras.layers
    model = keras.Sequential(
        [keras.Input(spec.input_shape), Digamma(), layers.Flatten(), layers.Dense(1)]
    )
    with pytest.raises(ExportError) as caught:
        convert_to_onnx(build_deployed(model, spec), spec)
    assert str(caught.value) == (
        "float32.onnx cannot be made: ONNX has no operator for Digamma; replace layer 'digamma'"
    )
