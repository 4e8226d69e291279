"""Networks that are broken on purpose: the diagnosis names layer, cause and remedy."""

from __future__ import annotations

import numpy as np
import pytest

from edgeemo.diagnose import Cause, diagnose
from edgeemo.export.calibration_images import complete_range

from .conftest import SIDE

pytestmark = pytest.mark.tensorflow

FORMATS = ("tflite", "onnx")


def _span(images):
    """Return calibration images that span [0, 1], as an export has them."""
    return complete_range((images * 255).round().astype(np.uint8)) * np.float32(1 / 255)


def _spread(head, features):
    """Let the logits have a mean of 0 and a spread of 1.5 over the images."""
    kernel = head.get_weights()[0]
    logits = features @ kernel
    factor = 1.5 / logits.std(axis=0)
    head.set_weights([kernel * factor, -logits.mean(axis=0) * factor])


@pytest.fixture(scope="module")
def build(keras, shake, images):
    """Function (head): three convolutions and two dense layers."""

    def make(head=(1, "sigmoid")):
        layers = keras.layers
        steps = [keras.Input((SIDE, SIDE, 1))]
        for name in ("first", "second", "third"):
            steps += [layers.Conv2D(8, 3, name=name)]
            steps += [layers.ReLU(name=f"{name}_activation")]
        steps += [layers.MaxPooling2D(name="pool"), layers.Flatten(name="row")]
        steps += [layers.Dense(8, activation="relu", name="wide")]
        steps += [layers.Dense(head[0], activation=head[1], name="head")]
        model = shake(keras.Sequential(steps, name="net"))
        before = keras.Model(model.inputs[0], model.get_layer("wide").output)
        _spread(model.get_layer("head"), np.asarray(before(images)))
        return model

    return make


@pytest.fixture(scope="module")
def sound(keras, shake, export_to, images, tmp_path_factory):
    """A network of many kinds of layers, with branches."""
    layers = keras.layers
    entry = keras.Input((SIDE, SIDE, 1))
    tensor = layers.Conv2D(8, 3, activation="relu", name="first")(entry)
    tensor = layers.BatchNormalization(name="norm")(tensor)
    tensor = layers.SeparableConv2D(8, 3, padding="same", name="apart")(tensor)
    tensor = layers.MaxPooling2D(name="pool")(tensor)
    beside = layers.Conv2D(8, 1, name="beside")(tensor)
    tensor = layers.Add(name="sum")([tensor, beside])
    mean = layers.GlobalAveragePooling2D(keepdims=True, name="mean")(tensor)
    gate = layers.Conv2D(8, 1, activation="sigmoid", name="gate")(mean)
    tensor = layers.Multiply(name="product")([tensor, gate])
    smooth = layers.Activation("gelu", name="smooth")(tensor)
    tensor = layers.Concatenate(name="both")([tensor, smooth])
    tensor = layers.Flatten(name="row")(tensor)
    tensor = layers.Dense(8, activation="tanh", name="wide")(tensor)
    tensor = layers.Dense(1, activation="sigmoid", name="head")(tensor)
    model = shake(keras.Model(entry, tensor))
    variance = model.get_layer("norm").moving_variance
    variance.assign(abs(variance.numpy()) + 0.5)
    before = keras.Model(entry, model.get_layer("wide").output)
    _spread(model.get_layer("head"), np.asarray(before(images)))
    path = tmp_path_factory.mktemp("sound") / "net"
    return export_to(path, model, _span(images), FORMATS)


@pytest.mark.parametrize("format", FORMATS)
def test_the_roundings_of_the_file_give_its_predictions(sound, format):
    found = diagnose(sound.path, format=format)
    assert found.max_difference > 0.005
    assert found.replay_difference <= (2 / 256 if format == "tflite" else 1e-4)
    layers = {"first", "norm", "apart", "beside", "sum", "gate", "product", "smooth", "wide"}
    assert {each.layer for each in found.layers} >= layers
    assert not {each.cause for each in found.layers} & {Cause.SATURATED, Cause.STRAY}


@pytest.fixture(scope="module")
def mixed(build, export_to, images, tmp_path_factory):
    path = tmp_path_factory.mktemp("mixed") / "net"
    return export_to(path, build(), _span(images), FORMATS, keep_float=("third", "wide"))


@pytest.mark.parametrize("format", FORMATS)
def test_layers_that_the_file_keeps_in_float(mixed, format):
    found = diagnose(mixed.path, format=format)
    assert found.replay_difference <= (2 / 256 if format == "tflite" else 1e-4)
    assert {"first", "second"} <= {each.layer for each in found.layers}
    commands = [each.command for each in found.findings if "--keep-float" in each.command]
    assert commands
    for command in commands:
        assert {"third", "wide"} <= set(command.split("--keep-float ")[1].split()[0].split(","))


@pytest.fixture(scope="module")
def loud(build, export_to, images, tmp_path_factory):
    """Channel 5 of a layer made 100 times as large, and the next layer that much less of it."""
    model = build()
    second, third = model.get_layer("second"), model.get_layer("third")
    kernel, bias = second.get_weights()
    kernel[..., 5] *= 100
    bias[5] *= 100
    second.set_weights([kernel, bias])
    kernel, bias = third.get_weights()
    kernel[:, :, 5] /= 100
    third.set_weights([kernel, bias])
    return export_to(tmp_path_factory.mktemp("loud") / "net", model, _span(images), FORMATS)


@pytest.mark.parametrize("format", FORMATS)
def test_an_outlier_channel(loud, format):
    finding = diagnose(loud.path, format=format).findings[0]
    assert (finding.cause, finding.layers[0]) == (Cause.OUTLIER, "second")
    assert "channel 5 of second" in finding.text
    assert f"edgeemo export {loud.path} --int8 --keep-float second" in finding.command


@pytest.fixture(scope="module")
def dark(build, export_to, images, tmp_path_factory):
    """A network calibrated on images that are darker than those that it sees."""
    path = tmp_path_factory.mktemp("dark") / "net"
    return export_to(path, build(), _span(images * np.float32(0.3)), FORMATS)


@pytest.mark.parametrize("format", FORMATS)
def test_a_saturated_calibration(dark, format):
    found = diagnose(dark.path, format=format)
    finding = found.findings[0]
    assert finding.cause is Cause.SATURATED
    assert {"second", "third", "wide"} <= set(finding.layers)
    assert "--calibration minmax" in finding.command
    assert max(each.clipped for each in found.layers) > 0.05


@pytest.fixture(scope="module")
def swish(keras, images, export_to, tmp_path_factory):
    """A network that tells two neighbours apart, exact pixels but for the hard-swish."""
    layers = keras.layers
    steps = [keras.Input((SIDE, SIDE, 1)), layers.Rescaling(12.75, -6.4, name="exact")]
    steps += [layers.Activation("hard_swish", name="swish"), layers.Flatten(name="row")]
    model = keras.Sequential([*steps, layers.Dense(1, activation="sigmoid", name="head")])
    kernel = np.zeros((SIDE * SIDE, 1), np.float32)
    kernel[66:68, 0] = 1, -1
    model.get_layer("head").set_weights([kernel, np.zeros(1, np.float32)])
    before = keras.Model(model.inputs[0], model.get_layer("row").output)
    _spread(model.get_layer("head"), np.asarray(before(images)))
    path = tmp_path_factory.mktemp("swish") / "net"
    return export_to(path, model, _span(images), FORMATS)


@pytest.mark.parametrize("format", FORMATS)
def test_hard_swish(swish, format):
    found = diagnose(swish.path, format=format)
    (finding,) = [each for each in found.findings if each.cause is Cause.HARD_SWISH]
    assert finding.layers == ("swish",)
    assert finding.command == f"edgeemo export {swish.path} --int8 --auto --force"
    assert {each.layer: each.cause for each in found.layers}["swish"] is Cause.HARD_SWISH


def test_coarse_steps_of_a_softmax(build, export_to, images, tmp_path):
    model = build(head=(3, "softmax"))
    kernel, bias = model.get_layer("head").get_weights()
    bias[2] -= 300
    model.get_layer("head").set_weights([kernel, bias])
    folder = export_to(tmp_path / "net", model, _span(images))
    finding = diagnose(folder.path).findings[0]
    assert (finding.cause, finding.layers) == (Cause.LAST_STEPS, ("head",))
    assert "--keep-float head" in finding.command
