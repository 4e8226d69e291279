from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from edgeemo.export.graph import build_deployed
from edgeemo.export.hard_swish import replace_hard_swish
from edgeemo.export.tflite import convert_to_tflite
from edgeemo.model.spec import ModelSpec

pytestmark = pytest.mark.tensorflow

_SPEC = ModelSpec(labels=("happy", "sad"), height=12, width=12, channels=1)


@pytest.fixture(scope="module")
def images():
    drawn = np.random.default_rng(5).random((16, 12, 12, 1), np.float32)
    drawn[0].flat[:2] = 0, 1
    return drawn


def _steps(network, images):
    """The steps of the results of the int8 file's operators, by the operator's name."""
    file = convert_to_tflite(
        replace_hard_swish(build_deployed(network, _SPEC)), "int8", calibration=images
    )
    interpreter = Interpreter(model_content=file)
    step = {entry["index"]: entry["quantization"][0] for entry in interpreter.get_tensor_details()}
    return [
        (entry["op_name"], step[entry["outputs"][0]]) for entry in interpreter._get_ops_details()
    ]


def test_a_residual_branch_has_its_own_range(keras, images):
    """The branch adds little to much: with the sum's range it would have but few of 256 steps."""
    layers = keras.layers
    keras.utils.set_random_seed(1)
    image = keras.Input((12, 12, 1))
    much = layers.Rescaling(50.0)(layers.Conv2D(4, 3, padding="same")(image))
    little = layers.Conv2D(4, 1)(layers.Conv2D(4, 3, padding="same", activation="relu")(image))
    values = layers.GlobalAveragePooling2D()(layers.Add()([much, little]))
    network = keras.Model(image, layers.Dense(1, activation="sigmoid")(values))
    branch = keras.Model(image, little).predict(images, verbose=0)
    steps = _steps(network, images)
    (sum_at,) = [place for place, (name, _) in enumerate(steps) if name == "ADD"]
    convolutions = [step for name, step in steps[:sum_at] if name == "CONV_2D"]
    wanted = (max(branch.max(), 0) - min(branch.min(), 0)) / 255
    assert steps[sum_at][1] > 5 * wanted
    assert min(abs(step / wanted - 1) for step in convolutions) < 0.01


def test_the_gate_of_a_hard_swish_keeps_its_256_steps(keras, images):
    layers = keras.layers
    keras.utils.set_random_seed(1)
    image = keras.Input((12, 12, 1))
    values = layers.Rescaling(40.0)(layers.Conv2D(4, 3)(image))
    values = layers.Activation("hard_swish")(layers.Conv2D(4, 1)(values))
    values = layers.GlobalAveragePooling2D()(values)
    network = keras.Model(image, layers.Dense(1, activation="sigmoid")(values))
    steps = dict(_steps(network, images))
    assert abs(steps["ADD"] - 6 / 255) < 1e-6  # x + 3 cut to 0 to 6
    assert steps["MUL"] > 0.1
