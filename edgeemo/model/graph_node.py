"""An operation of a TensorFlow graph: the range of its values, and the sum of its outputs."""

from __future__ import annotations

from functools import cached_property
from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_NEUTRAL = frozenset(
    {
        "Identity", "Reshape", "Squeeze", "ExpandDims", "Cast", "StopGradient", "PreventGradient",
        "CheckNumerics", "Snapshot", "EnsureShape", "Transpose",
    }
)  # fmt: skip
"""Operators that change no value."""

_LINEAR = frozenset(
    {
        "BiasAdd", "AddV2", "Add", "Sub", "MatMul", "BatchMatMulV2", "Conv2D", "Mul", "RealDiv",
        "Mean",
    }
)  # fmt: skip
OPERATIONS = {
    "Relu": "ReLU", "Relu6": "ReLU6", "LeakyRelu": "LeakyReLU", "Elu": "ELU", "Selu": "SELU",
    "Tanh": "tanh", "Softplus": "softplus", "LogSoftmax": "log softmax", "Sigmoid": "sigmoid",
    "Softmax": "softmax", "Exp": "exp",
}  # fmt: skip
"""Plain names of operators."""

_RANGES = {
    "Sigmoid": (0.0, 1.0), "Softmax": (0.0, 1.0), "Tanh": (-1.0, 1.0), "Relu6": (0.0, 6.0),
    "Relu": (0.0, inf), "Softplus": (0.0, inf), "Exp": (0.0, inf), "Square": (0.0, inf),
    "Abs": (0.0, inf), "Softsign": (-1.0, 1.0), "Elu": (-1.0, inf),
}  # fmt: skip
_SUMS = frozenset({"AddV2", "Add", "AddN", "BiasAdd"})  # Keras adds a row to a row with BiasAdd
_ARITHMETIC: Mapping[str, Any] = {
    "AddV2": np.add, "Add": np.add, "BiasAdd": np.add, "Sub": np.subtract, "Mul": np.multiply,
    "RealDiv": np.divide, "Maximum": np.maximum, "Minimum": np.minimum, "Neg": np.negative,
}  # fmt: skip
_DEEPEST = 60


class GraphNode:
    """An operation of a graph.

    Args:
        operation: A `tensorflow.Operation`.
        known: The operations met so far, by name.
        depth: Number of operations behind it.
    """

    def __init__(
        self, operation: Any, known: dict[str, GraphNode] | None = None, depth: int = 0
    ) -> None:
        self.operation, self.kind, self._depth = operation, str(operation.type), depth
        self._known = {} if known is None else known

    @cached_property
    def inputs(self) -> list[GraphNode]:
        """Return the operations before it; none where the graph is too deep."""
        if self._depth > _DEEPEST:
            return []
        return [self._get(each.op) for each in self.operation.inputs]

    def _get(self, operation: Any) -> GraphNode:
        known, name = self._known, operation.name
        if name not in known:
            known[name] = GraphNode(operation, known, self._depth + 1)
        return known[name]

    @cached_property
    def value(self) -> NDArray[Any] | None:
        """Return the value of a constant, else None."""
        node = self
        while node.kind == "Identity" and node.inputs:
            node = node.inputs[0]
        if node.kind != "Const":
            return None
        import tensorflow as tf

        return np.asarray(tf.make_ndarray(node.operation.get_attr("value")))

    def is_same(self, other: GraphNode, depth: int = 4) -> bool:
        """Return whether both compute the same of the same.

        Args:
            other: The other operation.
            depth: Number of operations to look back.
        """
        own, other = self.skip_neutral(), other.skip_neutral()
        if own.operation is other.operation:
            return True
        alike = own.kind == other.kind and len(own.inputs) == len(other.inputs) > 0
        pairs = zip(own.inputs, other.inputs, strict=False)
        return alike and depth > 0 and all(one.is_same(two, depth - 1) for one, two in pairs)

    def skip_neutral(self) -> GraphNode:
        """Return the operation whose values it passes on."""
        node = self
        while node.kind in _NEUTRAL and node.inputs:
            node = node.inputs[0]
        return node

    def describe(self) -> str:
        """Return its name in words."""
        if self.kind in _LINEAR:
            return "linear"
        return OPERATIONS.get(self.kind, self.kind)

    @cached_property
    def limits(self) -> tuple[float, float]:
        """Return the smallest and the largest possible value, by interval arithmetic."""
        if self.value is not None and self.value.dtype.kind in "fiu" and self.value.size:
            return float(self.value.min()), float(self.value.max())
        if self.kind in _RANGES:
            return _RANGES[self.kind]
        if self.kind in _NEUTRAL or self.kind in ("Mean", "Max", "Min"):
            return self.inputs[0].limits if self.inputs else (-inf, inf)
        if self.kind in ("ConcatV2", "Pack"):
            parts = self.inputs[: -1 if self.kind == "ConcatV2" else None]
            return min(each.limits[0] for each in parts), max(each.limits[1] for each in parts)
        if self.kind == "ClipByValue" or self.kind in _ARITHMETIC:
            return _combine(self.kind, [each.limits for each in self.inputs])
        return -inf, inf

    @cached_property
    def share(self) -> float | None:
        """Return the sum of the outputs of an image, where it is always the same; else None.

        A softmax has 1, as has a weighted mean of several.
        """
        kind, inputs = self.kind, self.inputs
        if kind == "Softmax":
            return 1.0
        if kind in _NEUTRAL or kind in ("Mean", "Pack"):
            found = {each.share for each in (inputs if kind == "Pack" else inputs[:1])}
            return found.pop() if len(found) == 1 else None
        if kind == "ConcatV2":
            return self._find_share_of_parts()
        if kind in _SUMS:
            shares = [each.share for each in inputs]
            return None if None in shares else sum(each or 0 for each in shares)
        if kind in ("Mul", "RealDiv"):
            return self._find_scaled_share()
        return None

    def _find_share_of_parts(self) -> float | None:
        """Return the share of p beside 1 - p, or of batches of equal shares."""
        parts = [each.skip_neutral() for each in self.inputs[:-1]]
        if len(parts) == 2 and (_complete(*parts) or _complete(*reversed(parts))):
            return 1.0
        found = {each.share for each in parts}
        return found.pop() if len(found) == 1 else None

    def _find_scaled_share(self) -> float | None:
        first, second = self.inputs
        for share, factor in ((first, second), (second, first)):
            low, high = factor.limits
            if share.share is not None and factor.value is not None and low == high and low > 0:
                return share.share / low if self.kind == "RealDiv" else share.share * low
        total = second.skip_neutral()
        if self.kind == "RealDiv" and total.kind == "Sum" and first.limits[0] >= 0:
            return 1.0 if total.inputs[0].is_same(first) else None
        return None


def _complete(rest: GraphNode, own: GraphNode) -> bool:
    """Return whether one is 1 minus the other, which is a probability."""
    return (
        rest.kind == "Sub"
        and set(rest.inputs[0].limits) == {1.0}
        and rest.inputs[1].is_same(own)
        and own.limits[0] >= 0
        and own.limits[1] <= 1
    )


def _combine(kind: str, limits: list[tuple[float, float]]) -> tuple[float, float]:
    if kind == "ClipByValue":
        (low, high), (least, _), (_, most) = limits
        return max(low, least), min(high, most)
    with np.errstate(all="ignore"):
        corners = np.array(np.meshgrid(*limits)).reshape(len(limits), -1)
        values = _ARITHMETIC[kind](*corners)
    if kind == "RealDiv" and limits[1][0] <= 0 <= limits[1][1]:
        return -inf, inf
    if np.isnan(values).any():
        return -inf, inf
    return float(values.min()), float(values.max())
