"""What the quantised weights of a layer are like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgeemo.diagnose.graph import Weights

if TYPE_CHECKING:
    from numpy.typing import NDArray


def describe_weights(
    layer: str,
    integer: NDArray[np.float32],
    exact: NDArray[np.float32] | None,
    *,
    axis: int,
    per_channel: bool,
    channels: int,
) -> Weights:
    """Return the figures of a layer's kernel.

    Args:
        layer: Name of the layer.
        integer: The kernel as quantised.
        exact: The kernel in float, of the same shape; None where it is not known.
        axis: Axis of the output channels.
        per_channel: Whether every channel has a scale of its own.
        channels: Number of channels of the layer.
    """
    others = tuple(each for each in range(integer.ndim) if each != axis)
    sizes = np.abs(integer if exact is None else exact).max(axis=others)[:channels]
    return Weights(
        layer=layer,
        per_channel=per_channel,
        outlier=compare_largest(sizes),
        channel=int(sizes.argmax()),
        channels=channels,
        sqnr_db=None if exact is None else compute_sqnr(exact, integer),
    )


def compare_largest(sizes: NDArray[np.float32]) -> float:
    """Return the largest of some channels' sizes over the median of those that are not 0."""
    used = sizes[sizes > 0]
    return float(used.max() / np.median(used)) if len(used) else 1.0


def compute_sqnr(exact: NDArray[np.float32], rounded: NDArray[np.float32]) -> float:
    """Return the ratio of signal to quantisation noise in dB; infinity without noise.

    10 log10 of the sum of squares over that of the differences, as
    ``onnxruntime.quantization.qdq_loss_debug`` has it.
    """
    return to_db(
        float(np.square(exact, dtype=np.float64).sum()),
        float(np.square(exact - rounded, dtype=np.float64).sum()),
    )


def to_db(signal: float, noise: float) -> float:
    """Return 10 log10 of signal over noise; infinity without noise, minus that without signal."""
    if noise <= 0:
        return float("inf")
    return 10 * float(np.log10(signal / noise)) if signal > 0 else float("-inf")
