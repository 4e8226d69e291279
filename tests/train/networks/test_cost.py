from __future__ import annotations

import pytest

from edgeemo.model.keras import import_keras
from edgeemo.train.networks.architectures import build
from edgeemo.train.networks.cost import measure_costs
from edgeemo.utils.serialize import to_plain

pytestmark = pytest.mark.tensorflow


def test_the_default_network_by_hand():
    found = measure_costs(build("cnn-16-32-16", input_shape=(48, 48, 1), classes=2))
    convolutions = 46 * 46 * 9 * 1 * 16 + 21 * 21 * 9 * 16 * 32 + 8 * 8 * 9 * 32 * 16
    dense = 4 * 4 * 16 * 256 + 256
    assert found.multiply_adds == convolutions + dense
    assert found.parameters == 75_473
    assert to_plain(found) == {"parameters": 75_473, "multiply_adds": found.multiply_adds}


def test_depthwise_strided_and_grouped_convolutions_by_hand():
    layers = import_keras().layers
    model = import_keras().Sequential(
        [
            import_keras().Input((9, 12, 4)),
            layers.Conv2D(6, 3, strides=2, padding="same", use_bias=False),  # 5 x 6
            layers.BatchNormalization(),
            layers.DepthwiseConv2D((3, 1), depth_multiplier=2),  # 3 x 6
            layers.Conv2D(8, 1, groups=4),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    by_hand = 5 * 6 * 9 * 4 * 6 + 3 * 6 * 3 * 12 + 3 * 6 * 8 * 12 // 4 + 8 * 3
    assert measure_costs(model).multiply_adds == by_hand


def test_a_model_inside_a_model_counts():
    keras = import_keras()
    inner = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Conv2D(2, 3)])
    image = keras.Input((4, 4, 1))
    assert measure_costs(keras.Model(image, inner(image))).multiply_adds == 4 * 9 * 2


def test_mobilenet_v2_costs_what_its_authors_say():
    """300 million multiply-adds at 224 x 224 (Sandler et al., 2018, table 4), without its head."""
    found = measure_costs(build("mobilenet-v2", input_shape=(224, 224, 3), classes=2))
    assert abs(found.multiply_adds - 300e6) < 2e6
