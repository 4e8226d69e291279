"""The edge family: its names, its layers, and that int8 takes all of them."""

from __future__ import annotations

import numpy as np
import pytest

from edgeemo.engines.litert import LiteRTEngine
from edgeemo.errors import TrainingError
from edgeemo.export.convert import Converter
from edgeemo.export.graph import build_deployed
from edgeemo.model.container import seal, unseal_bytes
from edgeemo.model.keras import load_keras
from edgeemo.model.keras_engine import predict
from edgeemo.model.spec import ModelSpec
from edgeemo.train.networks.architectures import build, get_architecture, set_frozen
from edgeemo.train.networks.cost import measure_costs
from edgeemo.train.networks.edge import EDGE, RECOMMENDED, Stage, parse_edge

OF_ALL_KINDS = "edge-c8-r8m-s16k5d-i16x2e2-f16e2m"


def shapes(model) -> dict[str, tuple[int, ...]]:
    return {layer.name: tuple(layer.output.shape[1:]) for layer in model.layers}


@pytest.mark.parametrize("name", [RECOMMENDED, OF_ALL_KINDS, "edge-c24k5d-i32x3"])
def test_a_name_spells_a_network_and_back(name):
    assert get_architecture(name).name == name
    assert get_architecture(EDGE) == parse_edge(RECOMMENDED)


def test_what_a_name_leaves_out_has_a_default():
    first, second, third = parse_edge("edge-c24k5d-i32x3-s48m").stages
    assert first == Stage(kind="c", width=24, kernel=5, halving="d")
    assert second == Stage(kind="i", width=32, depth=3, expansion=4)
    assert third == Stage(kind="s", width=48, halving="m")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("edge-", "'' is not a stage"),
        ("edge-c24d-q48", "'q48' is not a stage"),
        ("edge-c24d-s048", "'s048' is not a stage"),
        ("edge-c24d-s48x2x3", "'s48x2x3' is not a stage"),
        ("edge-r24d", "first stage is a convolution, such as c24 or c24d, not r24d"),
        ("edge-c24m-c24", "first stage is a convolution"),
        ("edge-c24-s48e2", "only i and f have"),
        ("edge-c24-f48e1", "does not expand"),
        ("edge" + "-c8" * 9, "9 stages; 1 to 8"),
        ("edge" + "-c8d" * 6, "more than 5 times"),
    ],
)
def test_a_wrong_name_is_refused_in_one_line(name, reason):
    with pytest.raises(TrainingError, match=reason) as refused:
        build(name, input_shape=(48, 48, 1), classes=2)
    assert "\n" not in str(refused.value)
    assert f"architecture {name!r}" in str(refused.value)


@pytest.mark.tensorflow
def test_every_stage_has_the_width_and_the_size_that_its_name_says():
    found = shapes(build(OF_ALL_KINDS, input_shape=(48, 48, 1), classes=2))
    assert found["s1b1_conv"] == (48, 48, 8)
    assert found["s2b1_add"] == (24, 24, 8)
    assert found["s3b1_depth"] == (12, 12, 8)
    assert found["s3b1_point"] == (12, 12, 16)
    assert found["s4b2_expand"] == (12, 12, 32)
    assert found["s4b2_add"] == (12, 12, 16)
    assert found["s5b1_expand"] == (6, 6, 32)
    assert found["pool"] == (16,)


@pytest.mark.tensorflow
def test_a_residual_block_projects_what_went_in_only_where_the_shape_changes():
    found = shapes(build("edge-c8-r8-r8d-r16", input_shape=(16, 16, 1), classes=2))
    assert [name for name in found if name.endswith("shortcut")] == [
        "s3b1_shortcut",
        "s4b1_shortcut",
    ]


@pytest.mark.tensorflow
def test_costs_by_hand():
    found = measure_costs(build("edge-c8d-s16", input_shape=(16, 16, 1), classes=2))
    assert found.multiply_adds == 8 * 8 * (9 * 8 + 9 * 8 + 8 * 16) + 16
    assert found.parameters == 9 * 8 + 9 * 8 + 8 * 16 + 4 * (8 + 8 + 16) + 17


@pytest.mark.tensorflow
@pytest.mark.parametrize(("side", "channels", "classes"), [(32, 1, 2), (49, 3, 7), (96, 1, 3)])
def test_sizes_channels_and_classes(side, channels, classes):
    model = build(OF_ALL_KINDS, input_shape=(side, side, channels), classes=classes)
    given = predict(model, np.zeros((2, side, side, channels), np.float32))
    assert given.shape == (2, 1 if classes == 2 else classes)


@pytest.mark.tensorflow
def test_its_weights_are_taken_up_again(tmp_path):
    shape = (32, 32, 1)
    trained = build(OF_ALL_KINDS, input_shape=shape, classes=2)
    trained.save(tmp_path / "model.keras")
    images = np.random.default_rng(0).random((3, *shape), np.float32)
    reloaded = load_keras(tmp_path / "model.keras")
    assert np.array_equal(predict(reloaded, images), predict(trained, images))
    begun = build(OF_ALL_KINDS, input_shape=shape, classes=3, weights=tmp_path / "model.keras")
    assert np.array_equal(
        begun.get_layer("s4b2_depth").get_weights()[0],
        trained.get_layer("s4b2_depth").get_weights()[0],
    )
    assert not begun.get_layer("s1b1_conv_norm").trainable
    set_frozen(begun, frozen=True, pretrained=True)
    assert len(begun.trainable_weights) == 2


@pytest.mark.tensorflow
def test_int8_has_nothing_but_integer_layers_in_one_piece():
    model = build(OF_ALL_KINDS, input_shape=(32, 32, 1), classes=2)
    images = np.random.default_rng(0).random((16, 32, 32, 1)).astype(np.float32)
    images[0].flat[:2] = 0, 1
    spec = ModelSpec(labels=("happy", "sad"), height=32, width=32, channels=1)
    content = Converter(build_deployed(model, spec), spec, images).convert("int8", "tflite")
    sealed = unseal_bytes(seal(content, spec, format="tflite"), name="int8.tflite")
    engine = LiteRTEngine(sealed)
    operations = engine.operations
    assert operations.count("DELEGATE") == 1
    assert operations.count("ADD") == 4  # r, i twice, f; what normalises is folded away
    assert set(operations) == {
        "QUANTIZE", "CONV_2D", "DEPTHWISE_CONV_2D", "MAX_POOL_2D", "ADD", "MEAN",
        "FULLY_CONNECTED", "LOGISTIC", "DELEGATE",
    }  # fmt: skip
    pixels = np.round(images * 255).astype(np.uint8)
    given = np.array([engine.run(image) for image in pixels])
    assert np.abs(given - predict(model, pixels / np.float32(255))).max() < 0.02
