"""Training with the rounding of int8 in the forward pass."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgeemo.engines.litert import build_unshared_interpreter
from edgeemo.errors import TrainingError
from edgeemo.export.convert import Converter
from edgeemo.export.graph import build_deployed
from edgeemo.model.keras import import_keras
from edgeemo.model.spec import ModelSpec
from edgeemo.train.data.pipeline import TrainingData
from edgeemo.train.loop.fake_quantisation import round_kernel
from edgeemo.train.loop.fit import fit
from edgeemo.train.loop.int8_aware import make_int8_aware
from edgeemo.train.networks.architectures import build
from edgeemo.train.options.checks import check_choices
from edgeemo.train.options.options import TrainOptions

pytestmark = pytest.mark.tensorflow

SPEC = ModelSpec(labels=("happy", "sad"), height=32, width=32, channels=1)


def _draw(count, seed=0):
    """Images of different coarseness and brightness, (N, 32, 32, 1) float32 that span [0, 1]."""
    drawn = np.random.default_rng(seed)
    coarse = drawn.random((count, 8, 8, 1)).repeat(4, 1).repeat(4, 2)
    images = drawn.random((count, 1, 1, 1)) * coarse + 0.2 * drawn.random((count, 32, 32, 1))
    images = (images / images.max()).astype(np.float32)
    images[0, 0, 0], images[0, 0, 1] = 0, 1
    return images


def _build(arch):
    """Build a network with statistics of its batch normalisations as after a training."""
    keras = import_keras()
    keras.utils.set_random_seed(3)
    model = build(arch, input_shape=(32, 32, 1), classes=2)
    drawn = np.random.default_rng(1)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            gamma, beta, mean, variance = layer.get_weights()
            layer.set_weights(
                [
                    gamma * drawn.uniform(-1.5, 1.5, gamma.shape),
                    beta + drawn.uniform(-0.3, 0.3, beta.shape),
                    mean + drawn.uniform(-0.3, 0.3, mean.shape),
                    variance * drawn.uniform(0.2, 1.5, variance.shape),
                ]
            )
    return model


@pytest.mark.parametrize("arch", ["edge-c8-r8d-i8d", "cnn-8-8-bn-d16"])
def test_the_network_rounds_as_the_exported_file_does(arch):
    model, images = _build(arch), _draw(32)
    aware = make_int8_aware(model, steps=3)
    for _ in range(3):  # the ranges are those of these images
        aware(images, training=True)
    content = Converter(build_deployed(model, SPEC), SPEC, images).convert("int8", "tflite")
    interpreter = build_unshared_interpreter(content)
    interpreter.allocate_tensors()
    (entry,), (output,) = interpreter.get_input_details(), interpreter.get_output_details()
    exported = []
    for image in images:
        interpreter.set_tensor(entry["index"], (image[None] * 255).round().astype(np.uint8))
        interpreter.invoke()
        exported.append(interpreter.get_tensor(output["index"])[0, 0] / 256)
    rounded = np.asarray(aware(images, training=False))[:, 0]
    plain = np.asarray(model(images, training=False))[:, 0]
    assert np.abs(rounded - plain).max() > 1e-4
    assert np.abs(rounded - exported).mean() < 0.005  # the file's last logit and output round, too


def test_the_variables_are_those_of_the_model():
    model = _build("edge-c8-r8d")
    aware = make_int8_aware(model, steps=2)
    assert {id(each) for each in model.trainable_variables} == {
        id(each) for each in aware.trainable_variables
    }
    before = [np.array(each) for each in model.weights]
    aware(_draw(8), training=True)
    ranges = [np.array(each) for each in aware.non_trainable_variables]
    aware(10 * _draw(8), training=True)
    followed = [np.array(each) for each in aware.non_trainable_variables]
    assert any(not np.array_equal(*pair) for pair in zip(ranges, followed, strict=True))
    aware(100 * _draw(8), training=True)  # beyond the steps in which the ranges follow
    floats = [np.array(each) for each in aware.non_trainable_variables if "float" in each.dtype]
    kept = [each for each in followed if each.dtype.kind == "f"]
    assert all(np.array_equal(*pair) for pair in zip(kept, floats, strict=True))
    assert all(
        np.array_equal(old, np.array(each)) for old, each in zip(before, model.weights, strict=True)
    )


def test_a_kernel_is_rounded_per_channel():
    kernel = np.array([[1.0, 0.01], [0.5, 0.004]], np.float32)
    rounded = np.asarray(round_kernel(kernel))
    assert np.allclose(rounded / (np.abs(kernel).max(0) / 127) % 1 % 0.999, 0, atol=2e-3)
    assert np.abs(rounded - kernel).max(0) == pytest.approx([0.002, 0.00002], abs=0.002)


def test_fine_tuning_gives_an_ordinary_model(noise):
    pixels = noise(48)
    options = TrainOptions(
        mode="plain", arch="edge-c8", epochs=2, batch_size=16, from_="x.keras", int8_aware=True
    )
    model, fitted = fit(
        lambda: _build("edge-c8"),
        TrainingData(train=pixels, validation=pixels, spec=SPEC),
        options=options,
    )
    assert len(fitted.history) == 2
    assert [each.name for each in model.layers] == [each.name for each in _build("edge-c8").layers]
    moved = [
        not np.array_equal(new, old)
        for new, old in zip(model.get_weights(), _build("edge-c8").get_weights(), strict=True)
    ]
    assert any(moved)


def test_it_requires_a_start_and_excludes_the_moving_average():
    options = TrainOptions(mode="plain", int8_aware=True)
    with pytest.raises(TrainingError, match="--int8-aware requires --from"):
        check_choices(options)
    with pytest.raises(TrainingError, match="--int8-aware excludes --ema"):
        check_choices(replace(options, from_="x.keras", ema=0.9))
