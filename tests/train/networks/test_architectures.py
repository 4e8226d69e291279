from __future__ import annotations

import numpy as np
import pytest

from edgeemo.errors import TrainingError
from edgeemo.train.networks.architectures import ARCHITECTURES, build, get_architecture

TUTORIALS = [name for name in ARCHITECTURES if not get_architecture(name).is_backbone]


def shapes(model) -> list[tuple[str, tuple[int, ...]]]:
    return [(layer.name, tuple(layer.output.shape[1:])) for layer in model.layers]


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    ("name", "side", "parameters"),
    [
        ("cnn-16-32-16", 256, 3_696_625),
        ("cnn-16-32-16-same", 256, 3_696_625),
        ("cnn-16-32-64", 256, 14_769_697),
        ("cnn-bn-64", 64, 684_225),
    ],
)
def test_parameters_at_the_default_size(name, side, parameters):
    assert ARCHITECTURES[name].size == side
    assert build(name, input_shape=(side, side, 3), classes=2).count_params() == parameters


@pytest.mark.tensorflow
def test_layers_of_the_default_network():
    assert shapes(build("cnn-16-32-16", input_shape=(256, 256, 3), classes=2)) == [
        ("image", (256, 256, 3)),
        ("conv_1", (254, 254, 16)),
        ("pool_1", (127, 127, 16)),
        ("conv_2", (125, 125, 32)),
        ("pool_2", (62, 62, 32)),
        ("conv_3", (60, 60, 16)),
        ("pool_3", (30, 30, 16)),
        ("flatten", (14400,)),
        ("dense", (256,)),
        ("prob", (1,)),
    ]


@pytest.mark.tensorflow
def test_only_the_first_convolution_of_same_is_padded():
    layers = dict(shapes(build("cnn-16-32-16-same", input_shape=(64, 64, 1), classes=2)))
    assert (layers["conv_1"], layers["conv_2"]) == ((64, 64, 16), (30, 30, 32))


@pytest.mark.tensorflow
def test_layers_of_the_normalised_network():
    model = build("cnn-bn-64", input_shape=(64, 64, 1), classes=2)
    assert [layer.name for layer in model.layers] == [
        "image",
        *(f"{kind}_{block}" for block in (1, 2, 3) for kind in ("conv", "norm", "pool")),
        *("flatten", "dense", "prob"),
    ]
    assert [model.get_layer(f"conv_{block}").filters for block in (1, 2, 3)] == [32, 64, 128]
    assert model.get_layer("dense").units == 128


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", TUTORIALS)
def test_more_than_two_classes_give_a_softmax(name):
    model = build(name, input_shape=(40, 48, 1), classes=3)
    outputs = model.predict(np.ones((2, 40, 48, 1), np.float32), verbose=0)
    assert outputs.shape == (2, 3)
    assert np.allclose(outputs.sum(axis=1), 1)


@pytest.mark.tensorflow
def test_two_built_in_one_process_have_the_same_names():
    first, second = (build("cnn-bn-64", input_shape=(32, 32, 3), classes=2) for _ in range(2))
    assert first.get_config() == second.get_config()
    assert first.name == second.name


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", TUTORIALS)
def test_the_smallest_size_works_and_one_less_is_refused(name):
    side = get_architecture(name).min_side
    assert build(name, input_shape=(side, side, 1), classes=2).output_shape == (None, 1)
    with pytest.raises(TrainingError, match=f"at least {side} pixels, not {side - 1}"):
        build(name, input_shape=(side, side - 1, 1), classes=2)


def test_an_unknown_name_brings_the_nearest():
    with pytest.raises(TrainingError, match="did you mean 'cnn-16-32-64'"):
        build("cnn_16_32_64", input_shape=(48, 48, 1), classes=2)


def test_one_class_is_refused():
    with pytest.raises(TrainingError, match="two classes or more"):
        build("cnn-16-32-16", input_shape=(48, 48, 1), classes=1)
