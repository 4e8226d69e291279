"""The form of a ``.tflite`` file that other programs read: RGB in, one column per label, metadata.

It is made of the verified file, whose bytes stay in it, so that its probabilities stay the same to
the bit:

* A grey model gets its grey from RGB by convolutions of 1x1. In float two of them, R - G and B - G
  first: of a grey image both are 0, and what is left is exactly G. In int8 one, whose weights sum
  to exactly 1.
* A sigmoid model gives 1 - p and p by a matrix product. In int8, 1 - p is at most 255/256.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edgeemo.clients.columns import split_probability
from edgeemo.clients.graph_editor import GraphEditor
from edgeemo.clients.graph_parts import UINT8
from edgeemo.clients.metadata import build_metadata
from edgeemo.clients.rgb_input import RgbInput
from edgeemo.model.description import describe_model, describe_output

if TYPE_CHECKING:
    from edgeemo.model.spec import ModelSpec


def make_client_spec(spec: ModelSpec, *, side: int | None = None) -> ModelSpec:
    """Return the spec of a client form: RGB in, one column per label.

    Args:
        spec: Spec of the model.
        side: Height and width of the input; by default the model's.
    """
    return replace(
        spec,
        channels=3,
        activation="softmax",
        height=side or spec.height,
        width=side or spec.width,
    )


def make_tflite_form(
    model: bytes,
    spec: ModelSpec,
    *,
    side: int | None = None,
    averages: bool = False,
) -> bytes:
    """Return a TFLite model in the form that other programs read.

    Args:
        model: The engine's model of a verified file.
        spec: Its spec.
        side: Height and width of the input, uint8, which the graph then resizes; by default those
            of the model.
        averages: Whether resizing averages whole pixels as far as that goes before it interpolates.

    Raises:
        ExportError: If the model has another input or output than edgeemo's exports.
    """
    editor = GraphEditor(model)
    if spec.channels == 1 or side:
        RgbInput(editor, spec, averages).build(side)
    if spec.activation == "sigmoid":
        split_probability(editor)
    own = make_client_spec(spec, side=side)
    takes_pixels, gives_bytes = (
        editor.describe_tensor(index).type == UINT8 for index in (editor.input, editor.output)
    )
    description = describe_model(own, takes_pixels=takes_pixels, gives_bytes=gives_bytes)
    output = describe_output(own, gives_bytes=gives_bytes)
    return editor.build(
        description=description,
        metadata=build_metadata(own, description=description, output=output),
    )
