"""The description inside an exported file, which viewers show. Standard library only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.utils.text import join_and

if TYPE_CHECKING:
    from edgeemo.model.container import Format, Kind
    from edgeemo.model.spec import ModelSpec


def describe_model(spec: ModelSpec, *, kind: Kind, format: Format) -> str:
    """Return what an exported file is, its input, its labels and what its output means.

    Args:
        spec: The spec inside the file.
        kind: Kind of the file.
        format: Format of the file.
    """
    is_integer = takes_pixels(kind, format)
    return (
        f"Image classifier, exported by edgeemo. Input: {describe_input(spec, is_integer)}. "
        f"Output: {describe_output(spec, is_integer)}. {_describe_decision(spec)}"
    )


def takes_pixels(kind: Kind, format: Format) -> bool:
    """Return whether an exported file takes uint8 pixels as they are, and gives uint8."""
    return kind == "int8" and format == "tflite"


def describe_input(spec: ModelSpec, is_integer: bool) -> str:
    """Return the input in words."""
    colours = "RGB" if spec.channels == 3 else "grey"
    values = "uint8, 0 to 255" if is_integer else "float32, pixel / 255"
    return f"one {spec.width}x{spec.height} image, {colours}, {values}"


def describe_output(spec: ModelSpec, is_integer: bool) -> str:
    """Return the output in words."""
    scale = ", times 256 as uint8" if is_integer else ""
    if spec.activation == "sigmoid":
        first, second = map(repr, spec.labels)
        return f"p = probability of {second}{scale}; that of {first} is 1 - p"
    return f"probabilities of {join_and(list(map(repr, spec.labels)))}, in this order{scale}"


def _describe_decision(spec: ModelSpec) -> str:
    if len(spec.labels) == 2:
        rule = f"{spec.labels[1]!r} where its probability is at least {spec.threshold:g}"
    else:
        rule = "the label of the largest probability"
    unsure = f", 'not sure' below {spec.min_confidence:g}" if spec.min_confidence else ""
    return f"Prediction: {rule}{unsure}."
