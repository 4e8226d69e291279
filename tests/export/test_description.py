"""What an exported file says of itself, where viewers show it."""

from __future__ import annotations

import pytest

from edgeemo.engines.flatbuffer import open_root
from edgeemo.engines.rewrite import DESCRIPTION, set_description
from edgeemo.export.description import add_description
from edgeemo.model.container import read_engine_model, unseal
from edgeemo.model.description import describe_model
from edgeemo.model.folder import shipped_folder
from edgeemo.model.spec import ModelSpec

SIGMOID = ModelSpec(labels=("happy", "sad"), height=8, width=6, channels=1, min_confidence=0.6)
SOFTMAX = ModelSpec(labels=("a", "b", "c"), height=8, width=8, activation="softmax")


def test_it_names_input_labels_and_output():
    text = describe_model(SIGMOID, takes_pixels=False, gives_bytes=False)
    assert "one 6x8 image, grey, float32, pixel / 255" in text
    assert "p = probability of 'sad'; that of 'happy' is 1 - p" in text
    assert "'sad' where its probability is at least 0.5, 'not sure' below 0.6" in text
    text = describe_model(SOFTMAX, takes_pixels=True, gives_bytes=True)
    assert "RGB, uint8, 0 to 255" in text
    assert "probabilities of 'a', 'b' and 'c', in this order, times 256 as uint8" in text


@pytest.mark.parametrize("name", ["int8.tflite", "float32.tflite"])
def test_a_description_changes_nothing_else(name):
    path = shipped_folder().file(name)
    model, spec = read_engine_model(path), unseal(path).spec
    described = add_description(model, spec, format="tflite")
    is_integer = name == "int8.tflite"
    assert open_root(described).text(DESCRIPTION) == describe_model(
        spec, takes_pixels=is_integer, gives_bytes=is_integer
    )
    padded = model + bytes(-len(model) % 16)
    assert described.endswith(padded)
    assert set_description(model, "x") == set_description(model, "x")


def test_onnx_says_it_of_model_input_and_output():
    onnx = pytest.importorskip("onnx")
    path = shipped_folder().file("float32.onnx")
    spec = unseal(path).spec
    described = add_description(read_engine_model(path), spec, format="onnx")
    model = onnx.load_model_from_string(described)
    assert model.doc_string.startswith("Image classifier, exported by edgeemo.")
    assert model.graph.input[0].doc_string == "one 48x48 image, grey, float32, pixel / 255"
    assert model.graph.output[0].doc_string.startswith("probabilities of 'happy', 'neither'")
