"""Operators behind a network of one output p: two columns, 1 - p and p."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.clients.graph_parts import (
    FLOAT32,
    FULLY_CONNECTED,
    INT8,
    QUANTIZE,
    UINT8,
    Operator,
    Tensor,
)
from edgeemo.errors import ExportError

if TYPE_CHECKING:
    from edgeemo.clients.graph_editor import GraphEditor
    from edgeemo.engines.rewrite import Field

_ZERO = -128  # zero point in int8 of what begins at 0
_STEP = 1 / 256  # scale of a probability
_ONE = 127  # weight 1 in int8, at scale 1/127
_DENSE_OPTIONS = 8


def split_probability(editor: GraphEditor) -> None:
    """Replace the output p by 1 - p and p.

    Raises:
        ExportError: If the output is neither float32 nor uint8 in 256ths.
    """
    before = editor.describe_tensor(editor.output)
    if before.type == FLOAT32:
        weights = np.array([[-1], [1]], np.float32)
        bias = np.array([1, 0], np.float32)
        editor.output = _multiply(editor, editor.output, weights, bias, name="prob")
        return
    if (before.type, before.scale, before.zero_point) != (UINT8, _STEP, 0):
        raise ExportError("the client form requires an output of float32, or uint8 in 256ths")
    at = _multiply(
        editor,
        _find_int8_output(editor),
        np.array([[-_ONE], [_ONE]], np.int8),
        np.array([_ONE * 256, 0], np.int32),
        name="prob_int8",
    )
    output = editor.add_tensor(replace(before, shape=(1, 2), name="prob"))
    editor.append([Operator(code=QUANTIZE, version=1, inputs=(at,), outputs=(output,))])
    editor.output = output


def _find_int8_output(editor: GraphEditor) -> int:
    """Return the int8 tensor of the network's own last QUANTIZE, which goes; else a new one."""
    expected = Tensor(shape=(1, 1), type=INT8, scale=_STEP, zero_point=_ZERO)
    producer = editor.find_producer(editor.output)
    if producer and producer.code == QUANTIZE:
        found = editor.describe_tensor(producer.inputs[0])
        if replace(found, name="") == expected:
            editor.remove_operator(producer)
            return producer.inputs[0]
    at = editor.add_tensor(replace(expected, name="p_int8"))
    editor.append([Operator(code=QUANTIZE, version=1, inputs=(editor.output,), outputs=(at,))])
    return at


def _multiply(
    editor: GraphEditor, at: int, weights: np.ndarray, bias: np.ndarray, *, name: str
) -> int:
    """Append the product of p with weights (2, 1) plus a bias (2,), and return its tensor."""
    before = editor.describe_tensor(at)
    scale = 0.0 if before.type == FLOAT32 else 1 / _ONE
    inputs = editor.add_kernel(at, weights, bias, scale=scale, name="columns")
    output = editor.add_tensor(replace(before, shape=(1, 2), name=name))
    options: tuple[int, dict[int, Field]] = (_DENSE_OPTIONS, {})
    editor.append(
        [
            Operator(
                code=FULLY_CONNECTED,
                version=4 if scale else 1,
                inputs=inputs,
                outputs=(output,),
                options=options,
            )
        ]
    )
    return output
