"""The float weights behind the quantised ones of a TFLite file.

They are taken from the float32 file beside it. Its operators are not the same ones (see
`edgeemo.export.pairs` and `edgeemo.export.logit`) and neither are its names: weights belong
together whose values are nearly equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo.export.pairs import pair_kernel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Pair = tuple[NDArray[np.float32], NDArray[np.float32]]

_CLOSE = 0.25
"""Largest distance of quantised weights from the float ones, as a share of their size."""

_CLAMP = (0.5, 3.0)
"""Factor and addend of a last logit that `edgeemo.export.logit` clamps."""

_SIXTH = 1 / 6
"""Factor that the converter merges into the kernel behind `edgeemo.export.hard_swish`."""

_LIMIT = 6.0
"""Logit at which it does."""


@dataclass(frozen=True)
class FloatWeights:
    """The weights of a float32 file.

    Attributes:
        pairs: Kernel and bias of each operator that has them.
        constants: Every other constant.
    """

    pairs: tuple[Pair, ...]
    constants: tuple[NDArray[np.float32], ...]

    def find_pair(
        self, kernel: NDArray[np.float32], bias: NDArray[np.float32] | None
    ) -> Pair | None:
        """Return the float kernel and bias of an operator, or None.

        Args:
            kernel: The kernel as quantised, (F, h, w, C), (1, h, w, C) or (F, C).
            bias: The bias as quantised, (F,).
        """
        found = min(
            (
                (_measure_distance(kernel, made[0]), number, made)
                for number, pair in enumerate(self.pairs)
                for made in _adapt(pair, kernel)
            ),
            default=None,
            key=lambda each: each[:2],
        )
        if found is not None and found[0] < _CLOSE:
            return found[2]
        if bias is not None and _is_clamp_end(kernel, bias):
            return np.full_like(kernel, 1 / _CLAMP[0]), np.full_like(bias, -_LIMIT)
        return None

    def find_constant(self, value: NDArray[np.float32]) -> NDArray[np.float32] | None:
        """Return the float form of a quantised constant, or None."""
        found = [each for each in self.constants if each.shape == value.shape]
        best = min(found, key=lambda each: _measure_distance(value, each), default=None)
        return best if best is not None and _measure_distance(value, best) < _CLOSE else None


def _measure_distance(value: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Return the distance of two arrays of the same shape as a share of the size of the second."""
    size = float(np.sqrt(np.mean(np.square(other, dtype=np.float64))))
    distance = float(np.sqrt(np.mean(np.square(value - other, dtype=np.float64))))
    return distance / size if size else float(distance > 0)


def _adapt(pair: Pair, like: NDArray[np.float32]) -> Iterator[Pair]:
    """Yield the forms in which an operator's weights may be in an int8 file."""
    kernel, bias = pair
    if kernel.shape == like.shape:
        yield kernel, bias
        yield kernel * np.float32(_SIXTH), bias
        if len(bias) == 1:
            yield kernel * np.float32(_CLAMP[0]), bias * np.float32(_CLAMP[0]) + _CLAMP[1]
    elif kernel.ndim == like.ndim == 4 and 2 * kernel.shape[0] == like.shape[0]:
        paired = pair_kernel(kernel.transpose(1, 2, 3, 0)).transpose(3, 0, 1, 2)
        if paired.shape == like.shape:
            yield paired, np.tile(bias, 2)


def _is_clamp_end(kernel: NDArray[np.float32], bias: NDArray[np.float32]) -> bool:
    return kernel.size == 1 and abs(bias.item() + _LIMIT) < 0.1


def read_float_weights(
    operators: Any, read: Callable[[int], NDArray[Any] | None], *, has_kernel: Callable[[Any], bool]
) -> FloatWeights:
    """Return the weights of a float32 file.

    Args:
        operators: Its operators, as of TFLite's schema.
        read: Returns the constant of a tensor, None of another.
        has_kernel: Whether an operator has a kernel and perhaps a bias.
    """
    pairs, constants = [], []
    for operator in operators:
        values = [read(index) if index >= 0 else None for index in operator.inputs]
        if has_kernel(operator) and (kernel := values[1]) is not None:
            bias = values[2] if len(values) > 2 else None
            count = kernel.shape[-1] if kernel.shape[0] == 1 and kernel.ndim == 4 else len(kernel)
            pairs.append((kernel, np.zeros(count, np.float32) if bias is None else bias))
        else:
            constants += [
                value for value in values if value is not None and value.dtype == np.float32
            ]
    return FloatWeights(tuple(pairs), tuple(constants))
