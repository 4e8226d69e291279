"""The description inside an exported file, which viewers show. Standard library only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.utils.text import join_and

if TYPE_CHECKING:
    from edgeemo.model.spec import ModelSpec


def describe_model(spec: ModelSpec, *, takes_pixels: bool, gives_bytes: bool) -> str:
    """Return what an exported file is, its input, its labels and what its output means.

    Args:
        spec: The spec inside the file.
        takes_pixels: Whether the input is uint8, else float32.
        gives_bytes: Whether the output is uint8, else float32.
    """
    return (
        "Image classifier, exported by edgeemo. "
        f"Input: {describe_input(spec, takes_pixels=takes_pixels)}. "
        f"Output: {describe_output(spec, gives_bytes=gives_bytes)}. {_describe_decision(spec)}"
    )


def describe_input(spec: ModelSpec, *, takes_pixels: bool = False) -> str:
    """Return the input in words; see `describe_model`."""
    colours = "RGB" if spec.channels == 3 else "grey"
    values = "uint8, 0 to 255" if takes_pixels else "float32, pixel / 255"
    return f"one {spec.width}x{spec.height} image, {colours}, {values}"


def describe_output(spec: ModelSpec, *, gives_bytes: bool = False) -> str:
    """Return the output in words; see `describe_model`."""
    scale = ", times 256 as uint8" if gives_bytes else ""
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
