"""The description of an exported file, in the place of its format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.engines.rewrite import find_integer_ends, set_description
from edgeemo.export.canonical import serialise
from edgeemo.model.description import describe_input, describe_model, describe_output

if TYPE_CHECKING:
    from edgeemo.model.container import Format
    from edgeemo.model.spec import ModelSpec


def add_description(model: bytes, spec: ModelSpec, *, format: Format) -> bytes:
    """Return a converted model that says what it is, its labels and what its output means.

    Args:
        model: Output of `edgeemo.export.convert.Converter.convert`.
        spec: Spec of the model.
        format: Format of the model.
    """
    if format == "tflite":
        takes_pixels, gives_bytes = find_integer_ends(model)
        text = describe_model(spec, takes_pixels=takes_pixels, gives_bytes=gives_bytes)
        return set_description(model, text)
    import onnx

    parsed = onnx.load_model_from_string(model)
    parsed.doc_string = describe_model(spec, takes_pixels=False, gives_bytes=False)
    parsed.graph.input[0].doc_string = describe_input(spec)
    parsed.graph.output[0].doc_string = describe_output(spec)
    return serialise(parsed)
