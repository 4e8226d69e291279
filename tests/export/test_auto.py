"""The remedies of int8: layers in float and `--auto`, on a network with an outlier channel."""

from __future__ import annotations

import numpy as np
import pytest

from edgeemo.engines.load import load_engine
from edgeemo.errors import ExportError, LimitError
from edgeemo.export.agreement import Agreement, Judge
from edgeemo.export.auto import ALLOWED_SHARE, AutoQuantiser, list_candidates
from edgeemo.export.convert import Converter
from edgeemo.export.graph import build_deployed
from edgeemo.export.kept_layers import check_layers, list_layers
from edgeemo.model.container import SealedModel, seal
from edgeemo.model.quantisation import Quantisation
from edgeemo.utils.progress import Silent
from edgeemo.verify.gates import Gates

FORMATS = ("tflite", "onnx")
PAIR = ("first", "pool", "second")
"""The layers around the outlier channel, and what is between."""


def _draw(count: int, seed: int) -> np.ndarray:
    """Images of different brightness, contrast and coarseness, (N, H, W, C) uint8."""
    drawn = np.random.default_rng(seed)
    coarse = drawn.random((count, 6, 6, 1)).repeat(4, 1).repeat(4, 2)
    fine = drawn.random((count, 24, 24, 1))
    share, low, high = drawn.random((3, count, 1, 1, 1))
    return (255 * (low + (high - low) * (share * coarse + (1 - share) * fine))).astype(np.uint8)


@pytest.fixture(scope="module")
def broken(keras):
    """A network of which one channel is 100 times larger than the others, and read as much less."""
    layers = keras.layers
    keras.utils.set_random_seed(5)
    model = keras.Sequential(
        [
            keras.Input((24, 24, 1)),
            layers.Conv2D(4, 3, activation="relu", name="first"),
            layers.MaxPooling2D(name="pool"),
            layers.Conv2D(6, 3, activation="relu", name="second"),
            layers.MaxPooling2D(name="pool_2"),
            layers.Flatten(name="flatten"),
            layers.Dense(1, activation="sigmoid", name="prob"),
        ]
    )
    kernel, bias = model.get_layer("first").get_weights()
    kernel[..., 0] *= 100
    model.get_layer("first").set_weights([kernel, bias + 0.05])
    kernel, bias = model.get_layer("second").get_weights()
    kernel[:, :, 0] /= 100
    model.get_layer("second").set_weights([kernel, bias + 0.05])
    images = _draw(400, 1) * np.float32(1 / 255)
    features = keras.Model(model.inputs[0], model.layers[-2].output)(images)
    logits = np.asarray(features) @ model.layers[-1].kernel.numpy()
    factor = 6 / logits.std()  # as confident as a trained network
    model.layers[-1].set_weights(
        [model.layers[-1].kernel.numpy() * factor, -np.median(logits, axis=0) * factor]
    )
    return model


@pytest.fixture(scope="module")
def converter(broken, spec):
    images = _draw(64, 2)
    images[0, 0, 0], images[0, 0, 1] = 0, 255
    return Converter(
        build_deployed(broken, spec), spec, images * np.float32(1 / 255), list_layers(broken)
    )


@pytest.fixture(scope="module")
def judge(broken, spec):
    pixels = _draw(600, 3)
    seconds = np.asarray(broken(pixels * np.float32(1 / 255)), np.float64)
    scores = np.concatenate([1 - seconds, seconds], axis=1)
    return Judge(pixels, scores, spec=spec, split="validation")


def _compare(converter, judge, format, **quantisation):
    content = converter.convert("int8", format, quantisation=Quantisation(**quantisation))
    return judge.compare(seal(content, converter.spec, format=format), format)


@pytest.mark.parametrize("format", FORMATS)
def test_layers_in_float_cure_an_outlier_channel(converter, judge, format):
    plain = _compare(converter, judge, format)
    assert plain.flips > 60
    alone = _compare(converter, judge, format, keep_float=PAIR[:1])
    assert alone.flips > 60  # its output is rounded for the next layer as before
    assert _compare(converter, judge, format, keep_float=PAIR).flips < 10


@pytest.mark.parametrize("format", FORMATS)
def test_auto_finds_the_layers_of_an_outlier_channel(converter, judge, format):
    chosen, choice = AutoQuantiser(converter, judge, None, Silent()).choose(format)
    assert chosen.keep_float == PAIR
    assert choice.passed
    assert (choice.split, choice.images, choice.allowed_flips) == ("validation", 600, 6)
    assert choice.trials[0].quantisation == Quantisation()
    line = choice.describe(chosen)
    assert "3 layers in float (first, pool, second)" in line
    assert f"instead of {choice.trials[0].flips} on 600 validation images" in line


def test_auto_keeps_to_the_largest_size(converter, judge):
    plain = converter.convert("int8", "tflite")
    size = len(seal(plain, converter.spec, format="tflite"))
    chosen, choice = AutoQuantiser(converter, judge, size, Silent()).choose("tflite")
    assert not choice.passed
    assert all(trial.size_bytes <= size for trial in choice.trials)
    assert not {"first", "second"} <= set(chosen.keep_float)
    with pytest.raises(LimitError, match=r"int8\.tflite is .* --max-size-kb allows less"):
        AutoQuantiser(converter, judge, size - 1, Silent()).choose("tflite")


def test_auto_leaves_a_file_alone_that_agrees(spec, converter):
    class Agreeing:
        split = "validation"

        def __len__(self):
            return 500

        def compare(self, content, format):
            return Agreement(flips=1, expected_flips=2.0)

    chosen, choice = AutoQuantiser(converter, Agreeing(), None, Silent()).choose("onnx")
    assert chosen == Quantisation()
    assert choice.describe(chosen) == (
        "plain int8 has 1 flip on 500 validation images, nothing to cure"
    )


def test_16_bit_activations_are_float_at_both_ends(converter, spec):
    content = converter.convert("int8", "tflite", quantisation=Quantisation(activation_bits=16))
    engine = load_engine(
        SealedModel(path="x", format="tflite", spec=spec, sha256="", size_bytes=0, content=content)
    )
    assert engine.types == ("float32", "float32")
    assert "int16" in {np.dtype(each["dtype"]).name for each in engine.tensors}


def test_the_gate_is_that_of_the_verification():
    assert Gates().allowed_flips("int8", 1000) == 1000 // ALLOWED_SHARE


def test_fused_operators_are_one_candidate(converter):
    names = list_candidates(converter.list_operators("tflite"), converter.layers)
    assert names == ["first", "pool", "second", "pool_2", "flatten", "prob"]


@pytest.mark.parametrize("format", FORMATS)
def test_kept_layers_are_float_and_the_others_are_not(converter, spec, format):
    content = converter.convert("int8", format, quantisation=Quantisation(keep_float=("prob",)))
    if format == "onnx":  # which keeps the last layer in float anyway
        assert content == converter.convert("int8", format)
        return
    engine = load_engine(
        SealedModel(path="x", format="tflite", spec=spec, sha256="", size_bytes=0, content=content)
    )
    assert engine.types[0].startswith("uint8")
    assert engine.types[1] == "float32"
    floats = {t["name"] for t in engine.tensors if np.issubdtype(t["dtype"], np.floating)}
    assert any("prob" in name for name in floats)
    assert not any("second" in name for name in floats)


def test_a_layer_that_is_not_there_is_answered_with_near_names(converter):
    with pytest.raises(ExportError) as caught:
        check_layers(["secnd"], converter.layers.names)
    assert str(caught.value) == ("--keep-float: layer 'secnd' is unknown; did you mean 'second'?")
    with pytest.raises(ExportError, match="choose from first, pool, second"):
        check_layers(["zzz"], converter.layers.names)
    with pytest.raises(ExportError, match="names every layer: leave out --int8"):
        check_layers(converter.layers.names, converter.layers.names)
