"""Whether an output is a probability, by the last operations of a model."""

from __future__ import annotations

import pytest

from edgeemo.model.keras import import_keras, load_keras
from edgeemo.model.keras_head import find_head
from edgeemo.utils.redirect import drop_output

pytestmark = pytest.mark.tensorflow

SHAPE = (8, 8, 3)


def build(units=1, activation=None, *, end=None):
    """A network whose last layer is called "last"; `end` is applied to its output."""
    keras = import_keras()
    image = keras.Input(SHAPE)
    row = keras.layers.Flatten()(image)
    output = keras.layers.Dense(units, activation=activation, name="last")(row)
    return keras.Model(image, end(keras, output) if end else output)


def _softmax_by_hand(keras, logits):
    raised = keras.ops.exp(logits - keras.ops.max(logits, axis=-1, keepdims=True))
    return raised / keras.ops.sum(raised, axis=-1, keepdims=True)


def _average(keras, probabilities):
    other = keras.layers.Dense(3, activation="softmax")(probabilities)
    return keras.layers.Average()([probabilities, other])


@pytest.mark.parametrize(
    ("units", "activation", "end"),
    [
        (1, "sigmoid", None),
        (1, None, lambda keras, x: keras.layers.Activation("sigmoid")(x)),
        (1, None, lambda keras, x: keras.ops.sigmoid(x)),
        (1, None, lambda keras, x: 1 / (1 + keras.ops.exp(-x))),
        (1, None, lambda keras, x: (keras.ops.tanh(x) + 1) / 2),
        (1, "hard_sigmoid", None),
        (1, "sigmoid", lambda keras, x: keras.layers.Concatenate()([1 - x, x])),
        (3, "softmax", None),
        (3, None, lambda keras, x: keras.layers.Softmax()(x)),
        (3, None, lambda keras, x: keras.ops.softmax(x)),
        (3, None, _softmax_by_hand),
        (3, "softmax", _average),
        (3, "softmax", lambda keras, x: keras.layers.Dropout(0.5)(x)),
        (3, "softmax", lambda keras, x: keras.layers.Activation("linear")(x)),
    ],
)
def test_a_probability_is_one_however_it_is_written(units, activation, end):
    assert find_head(build(units, activation, end=end), SHAPE).is_probability


@pytest.mark.parametrize(
    ("units", "activation", "name"),
    [
        (1, None, "linear (layer 'last')"),
        (3, None, "linear (layer 'last')"),
        (1, "tanh", "tanh (layer 'last')"),
        (1, "relu", "ReLU (layer 'last')"),
        (3, "sigmoid", "sigmoid (layer 'last')"),
        (3, "log_softmax", "log softmax (layer 'last')"),
        (1, "softmax", "softmax (layer 'last')"),
    ],
)
def test_another_operation_is_named_with_its_layer(units, activation, name):
    head = find_head(build(units, activation), SHAPE)
    assert not head.is_probability
    assert str(head) == name
    assert head.is_constant == (activation == "softmax")


@pytest.mark.parametrize(("activation", "expected"), [("softmax", True), ("relu", False)])
def test_the_graph_of_a_saved_model_is_read(tmp_path, activation, expected):
    with drop_output():
        build(3, activation).export(str(tmp_path / "model"), verbose=False)
    head = find_head(load_keras(tmp_path / "model"), SHAPE)
    assert head.is_probability == expected
    assert head.operation == {"softmax": "softmax", "relu": "ReLU"}[activation]
