"""Models of other people: of every kind that Keras saves and that once failed to be exported."""

from __future__ import annotations

import json
from dataclasses import replace

import h5py
import numpy as np
import pytest

from edgeemo.errors import ExportError, ModelFolderError
from edgeemo.export.canonical import serialise
from edgeemo.export.file_checks import expect
from edgeemo.export.graph import build_deployed
from edgeemo.export.onnx_float32 import convert_to_onnx
from edgeemo.export.tflite import convert_to_tflite
from edgeemo.model.keras import load_keras
from edgeemo.model.rounding import measure_rounding
from edgeemo.utils.redirect import drop_output

pytestmark = pytest.mark.tensorflow

SHAPE = (24, 24, 3)


@pytest.fixture
def spec3(spec):
    return replace(spec, channels=3, activation="softmax")


def _run_tflite(content, image):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def _run_onnx(content, image):
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return session.run(["prob"], {"image": image})[0]


def _head(keras, tensor, **options):
    row = keras.layers.GlobalAveragePooling2D()(tensor)
    return keras.layers.Dense(2, activation="softmax", **options)(row)


def _convolve(keras, tensor, **options):
    return keras.layers.Conv2D(6, 3, padding="same", activation="relu", **options)(tensor)


def _normalised(keras, inputs):
    layer = keras.layers.Normalization(mean=[0.4, 0.5, 0.6], variance=[0.2, 0.1, 0.3])
    return _head(keras, _convolve(keras, layer(inputs)))


def _caffe(keras, inputs):
    scaled = keras.applications.imagenet_utils.preprocess_input(inputs * 255.0, mode="caffe")
    return _head(keras, _convolve(keras, scaled / 128.0))


def _grouped(keras, inputs):
    return _head(keras, _convolve(keras, inputs, groups=3))


def _exact_gelu(keras, inputs):
    gelu = keras.layers.Activation(lambda x: keras.ops.gelu(x, approximate=False))
    both = gelu(keras.layers.Conv2D(6, 3)(gelu(keras.layers.Conv2D(6, 3)(inputs))))
    return _head(keras, both)


def _twice(keras, inputs):
    block = keras.Sequential(
        [keras.layers.Conv2D(3, 3, padding="same", activation="relu"), _norm(keras)]
    )
    return _head(keras, block(block(inputs)))


def _norm(keras):
    return keras.layers.BatchNormalization()


@pytest.mark.parametrize("build", [_normalised, _caffe, _grouped, _exact_gelu, _twice])
def test_both_formats_predict_as_the_network(keras, shaken, spec3, build):
    inputs = keras.Input(SHAPE)
    model = shaken(keras.Model(inputs, build(keras, inputs)))
    _assert_converts(model, spec3)


def _assert_converts(model, spec):
    image = np.random.default_rng(1).random((1, *spec.input_shape), np.float32)
    expected = np.asarray(model(image, training=False))
    network = build_deployed(model, spec)
    onnx = serialise(convert_to_onnx(network, spec))
    assert _run_onnx(onnx, image) == pytest.approx(expected, abs=1e-5)
    tflite = convert_to_tflite(network, "float32")
    assert _run_tflite(tflite, image) == pytest.approx(expected, abs=1e-5)


def _reload(model, path):
    model.save(path)
    return load_keras(path)


def test_the_count_of_an_adapted_normalisation_is_no_channel(keras, spec3, tmp_path):
    """It is a number without a shape, as the one of EfficientNet."""
    layer = keras.layers.Normalization()
    layer.adapt(np.random.default_rng(1).random((8, *SHAPE), np.float32))
    inputs = keras.Input(SHAPE)
    output = _head(keras, _convolve(keras, layer(inputs)))
    loaded = _reload(keras.Model(inputs, output), tmp_path / "model.keras")
    expected = expect(loaded, spec3, network=build_deployed(loaded, spec3))
    assert expected.channels == 3 + 3 + 6 + 6 + 2 + 2
    _assert_converts(loaded, spec3)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("wrap", ["dict", "list"])
def test_one_output_in_a_dict_or_list_is_a_tensor(keras, spec3, tmp_path, wrap, suffix):
    image = keras.Input(SHAPE, name="photo")
    output = _head(keras, _convolve(keras, image))
    ends = ({"photo": image}, {"b": output}) if wrap == "dict" else ([image], [output])
    loaded = _reload(keras.Model(*ends), tmp_path / f"model{suffix}")
    assert (loaded.input_shape, loaded.output_shape) == ((None, *SHAPE), (None, 2))
    _assert_converts(loaded, spec3)


def test_names_that_tensorflow_refuses_are_replaced(keras, spec3, tmp_path):
    image = keras.Input(SHAPE, name="bild ä")
    inner = keras.Sequential(
        [
            keras.Input(SHAPE),
            keras.layers.Conv2D(3, 3, padding="same", activation="relu", name="conv 1"),
            keras.layers.BatchNormalization(name="conv:1"),
        ],
        name="block (1)",
    )
    output = _head(keras, inner(inner(image)), name="a.b-c:d")
    model = keras.Model(image, output, name="_my model ü")
    loaded = _reload(model, tmp_path / "model.keras")
    _assert_converts(loaded, spec3)
    assert len({layer.name for layer in loaded.layers}) == len(loaded.layers)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("policy", ["mixed_float16", "bfloat16", "float64"])
def test_other_precisions_are_computed_in_float32(keras, spec3, tmp_path, policy, suffix):
    if (policy, suffix) == ("bfloat16", ".h5"):
        pytest.skip("h5py cannot save bfloat16")
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        image = keras.Input(SHAPE)
        scaled = keras.layers.Rescaling(2.0, -1.0)(image)
        model = keras.Model(image, _head(keras, _norm(keras)(_convolve(keras, scaled))))
    finally:
        keras.config.set_dtype_policy(before)
    loaded = _reload(model, tmp_path / f"model{suffix}")
    assert {str(weight.dtype) for weight in loaded.weights} == {"float32"}
    assert {layer.compute_dtype for layer in loaded.layers} == {"float32"}
    values = np.random.default_rng(1).random((1, *SHAPE), np.float32)
    expected = np.asarray(keras.ops.cast(model(values, training=False), "float32"))
    assert np.asarray(loaded(values)) == pytest.approx(expected, abs=0.02)
    _assert_converts(loaded, spec3)


def _edit(path, edit):
    """Edit the configuration in an .h5 file."""
    with h5py.File(path, "a") as file:
        config = json.loads(file.attrs["model_config"])
        edit(config)
        file.attrs["model_config"] = json.dumps(config)


def _each_layer(config):
    for layer in config["config"]["layers"]:
        yield layer
        if "layers" in layer["config"]:
            yield from _each_layer(layer)


def test_arguments_of_keras_2_are_dropped_where_they_change_nothing(keras, spec3, tmp_path):
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input(SHAPE),
            layers.RandomFlip(),
            layers.DepthwiseConv2D(3, activation="relu"),
            layers.SeparableConv2D(4, 3),
            layers.BatchNormalization(),
            layers.Conv2DTranspose(4, 3),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2, activation="softmax"),
        ]
    )
    path = tmp_path / "model.h5"
    model.save(path)
    odd = {
        "RandomFlip": {"rng_type": "stateful"},
        "DepthwiseConv2D": {"groups": 1},
        "SeparableConv2D": {"groups": 1, "kernel_initializer": None},
        "BatchNormalization": {"axis": [3], "renorm": False},
        "Conv2DTranspose": {"groups": 1},
    }

    def add(config):
        for layer in _each_layer(config):
            layer["config"].update(odd.get(layer["class_name"], {}))

    _edit(path, add)
    content = path.read_bytes()
    loaded = load_keras(path)
    image = np.random.default_rng(1).random((2, *SHAPE), np.float32)
    assert np.asarray(loaded(image, training=False)) == pytest.approx(
        np.asarray(model(image, training=False)), abs=1e-6
    )
    assert path.read_bytes() == content
    _assert_converts(loaded, spec3)


def test_a_keras_2_network_inside_sequentials_loads(keras, spec3, tmp_path):
    """Teachable Machine saves a network this way: its output is a list of one."""
    layers = keras.layers
    image = keras.Input(SHAPE)
    base = keras.Model(image, layers.DepthwiseConv2D(3)(image), name="base")
    front = keras.Sequential([base, layers.GlobalAveragePooling2D()], name="front")
    end = keras.Sequential([keras.Input((3,)), layers.Dense(2, activation="softmax")], name="end")
    model = keras.Sequential([keras.Input(SHAPE), front, end])
    path = tmp_path / "model.h5"
    model.save(path)

    def age(config):
        for layer in _each_layer(config):
            if layer["class_name"] == "DepthwiseConv2D":
                layer["config"]["groups"] = 1
                layer["inbound_nodes"] = [[["image", 0, 0, {}]]]
            if layer["class_name"] == "Functional":
                layer.pop("module", None)
                inner = layer["config"]
                inner["layers"][0]["name"] = inner["layers"][0]["config"]["name"] = "image"
                inner["input_layers"] = [["image", 0, 0]]
                name = inner["layers"][1]["name"]
                inner["output_layers"] = [[name, 0, 0]]

    _edit(path, age)
    loaded = load_keras(path)
    for own, other in zip(model.weights, loaded.weights, strict=True):
        assert np.asarray(other) == pytest.approx(np.asarray(own)), own.path
    values = np.random.default_rng(1).random((2, *SHAPE), np.float32)
    assert np.asarray(loaded(values)) == pytest.approx(np.asarray(model(values)), abs=1e-6)
    _assert_converts(loaded, spec3)


def test_a_bare_operator_of_keras_2_is_named_with_the_way_out(keras, tmp_path):
    model = keras.Sequential([keras.Input(SHAPE), keras.layers.Flatten()])
    path = tmp_path / "model.h5"
    model.save(path)

    def replace_layer(config):
        for layer in config["config"]["layers"]:
            if layer["class_name"] == "Flatten":
                layer["class_name"] = "TFOpLambda"

    _edit(path, replace_layer)
    with pytest.raises(ModelFolderError, match=r"Keras 2 .*TFOpLambda.*SavedModel: model\.export"):
        load_keras(path)


def test_a_bare_operation_in_an_h5_file_is_named_with_the_way_out(keras, tmp_path):
    """Keras itself loads no such file, of MobileNetV3 for example."""
    image = keras.Input(SHAPE)
    path = tmp_path / "model.h5"
    keras.Model(image, _head(keras, _convolve(keras, image) + 3.0)).save(path)
    with pytest.raises(ModelFolderError, match=r"bare operations, .* save it as \.keras"):
        load_keras(path)


def test_a_saved_model_with_the_slots_of_an_optimizer_loads(keras, spec3, tmp_path):
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    image = keras.Input(SHAPE)
    model = keras.Model(image, _head(keras, _convolve(keras, image)))
    folder = tmp_path / "model"
    with drop_output():
        model.export(str(folder), verbose=False)
    path = folder / "saved_model.pb"
    graph = SavedModel.FromString(path.read_bytes())
    nodes = graph.meta_graphs[0].object_graph_def.nodes
    first, second, *_ = [i for i, node in enumerate(nodes) if node.HasField("variable")]
    slots = next(node for node in nodes if node.HasField("user_object")).slot_variables
    slots.add(original_variable_node_id=first, slot_name="m", slot_variable_node_id=second)
    path.write_bytes(graph.SerializeToString())
    values = np.random.default_rng(1).random((1, *SHAPE), np.float32)
    loaded = load_keras(folder)
    assert np.asarray(loaded(values)) == pytest.approx(np.asarray(model(values)), abs=1e-6)
    _assert_converts(loaded, spec3)


def test_rounding_grows_with_the_size_of_the_inputs(keras, shaken):
    image = keras.Input(SHAPE)
    flipped = keras.layers.RandomFlip()(image)
    model = shaken(keras.Model(image, _head(keras, _convolve(keras, flipped))))
    values = np.random.default_rng(1).random((4, *SHAPE), np.float32)
    small = measure_rounding(model, values / 100)
    assert 0 < small < measure_rounding(model, values * 5) < 1e-4


def _export_folder(model, path):
    with drop_output():
        model.export(str(path), verbose=False)
    return load_keras(path)


def _separable(keras, inputs):
    return _head(keras, _norm(keras)(keras.layers.SeparableConv2D(6, 3, activation="relu")(inputs)))


@pytest.mark.parametrize("build", [_grouped, _separable])
def test_a_saved_model_converts_and_has_the_rounding_of_its_network(
    keras, shaken, spec3, tmp_path, build
):
    """Keras compiles a convolution in groups by XLA, which the file says of its function."""
    inputs = keras.Input(SHAPE)
    model = shaken(keras.Model(inputs, build(keras, inputs)))
    loaded = _export_folder(model, tmp_path / "model")
    values = np.random.default_rng(1).random((4, *SHAPE), np.float32)
    assert np.asarray(loaded(values)) == pytest.approx(np.asarray(model(values)), abs=1e-6)
    expected = measure_rounding(model, values)
    assert measure_rounding(loaded, values) == pytest.approx(expected, rel=0.5)
    _assert_converts(loaded, spec3)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float16"])
def test_a_saved_model_of_half_precision_is_computed_in_float32(keras, spec3, tmp_path, policy):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        image = keras.Input(SHAPE)
        row = keras.layers.GlobalAveragePooling2D()(_norm(keras)(_convolve(keras, image)))
        output = keras.layers.Dense(2, activation="softmax", dtype="float32")(row)
        model = keras.Model(image, output)
    finally:
        keras.config.set_dtype_policy(before)
    loaded = _export_folder(model, tmp_path / "model")
    values = np.random.default_rng(1).random((1, *SHAPE), np.float32)
    expected = np.asarray(keras.ops.cast(model(values, training=False), "float32"))
    assert np.asarray(loaded(values)) == pytest.approx(expected, abs=0.02)
    assert 0 < measure_rounding(loaded, values) < 1e-5
    _assert_converts(loaded, spec3)


def test_a_normalisation_of_keras_2_is_measured(keras, spec3, tmp_path):
    """It is one operator there, which has no kernel in float64."""
    import tensorflow as tf

    class Old(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None, *SHAPE), tf.float32)])
        def predict(self, image):
            named = {"scale": [1.0, 2, 3], "offset": [0.1, 0.2, 0.3]}
            named |= {"mean": [0.5, 0.4, 0.3], "variance": [0.2, 0.3, 0.4]}
            found, *_ = tf.raw_ops.FusedBatchNormV3(x=image, **named, is_training=False)
            return {"out": tf.nn.softmax(tf.reduce_mean(found, (1, 2))[:, :2])}

    old = Old()
    tf.saved_model.save(old, str(tmp_path / "old"), signatures={"serving_default": old.predict})
    loaded = load_keras(tmp_path / "old")
    assert measure_rounding(loaded, np.random.default_rng(1).random((4, *SHAPE), np.float32)) > 0
    _assert_converts(loaded, spec3)


def test_a_recurrent_layer_of_a_saved_model_is_named_with_the_way_out(keras, spec3, tmp_path):
    inputs = keras.Input(SHAPE)
    rows = keras.layers.Reshape((SHAPE[0], -1))(inputs)
    output = keras.layers.Dense(2, activation="softmax")(keras.layers.LSTM(3, name="rows")(rows))
    loaded = _export_folder(keras.Model(inputs, output), tmp_path / "model")
    message = r"^float32\.tflite cannot be made: a recurrent layer \(.*rows_1\) .* as \.keras"
    with pytest.raises(ExportError, match=message):
        convert_to_tflite(build_deployed(loaded, spec3), "float32")


def test_the_rounding_of_an_operator_without_float64_is_unknown(keras, tmp_path):
    import tensorflow as tf

    class Resized(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None, *SHAPE), tf.float32)])
        def predict(self, image):
            small = tf.image.resize(image, (8, 8))
            return {"out": tf.nn.softmax(tf.reduce_mean(small, (1, 2)))}

    model = Resized()
    tf.saved_model.save(model, str(tmp_path / "m"), signatures={"serving_default": model.predict})
    loaded = load_keras(tmp_path / "m")
    assert measure_rounding(loaded, np.zeros((1, *SHAPE), np.float32)) is None
