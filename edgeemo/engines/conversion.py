"""The conversion from pixels to an input tensor, where it is not just ``pixel / 255``.

So it is of adopted models, and of inputs that are quantised with another scale. Others never load
this module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import DTypeLike, NDArray

    from edgeemo.model.spec import ModelSpec

    Conversion = Callable[[NDArray[np.uint8]], NDArray[np.generic]]

_PIXELS = np.arange(256)


def build_conversion(
    spec: ModelSpec, dtype: DTypeLike, quantization: tuple[float, int] = (0.0, 0)
) -> Conversion:
    """Return a function from (H, W, C) uint8 pixels to the input tensor without its batch axis.

    A quantised input gets the nearest of its steps to the scaled pixel. Where that is the pixel
    itself, as with a scale within half a step of 1/255, pixels go in as they are.

    Args:
        spec: The model's specification.
        dtype: Type of the tensor: float32, uint8 or int8.
        quantization: Its scale and zero point; (0, 0) where it is not quantised.
    """
    adopted = spec.adopted
    scale = adopted.scale if adopted else (spec.scale,) * spec.channels
    offset = adopted.offset if adopted else (0.0,) * spec.channels
    if np.dtype(dtype) == np.float32:
        convert = _scale_pixels(np.asarray(scale, np.float32), np.asarray(offset, np.float32))
    elif quantization[0] == 0:
        convert = _keep
    else:
        real = _PIXELS[:, None] * np.asarray(scale) + np.asarray(offset)
        convert = _look_up(_quantise(real, dtype, quantization))
    if adopted is None:
        return convert
    axes = (2, 0, 1) if adopted.layout == "nchw" else (0, 1, 2)
    step = -1 if adopted.bgr else 1
    return lambda pixels: np.ascontiguousarray(convert(pixels[..., ::step]).transpose(axes))


def _scale_pixels(scale: NDArray[np.float32], offset: NDArray[np.float32]) -> Conversion:
    if not offset.any():
        return lambda pixels: pixels * scale
    return lambda pixels: pixels * scale + offset


def _quantise(
    values: NDArray[np.float64], dtype: DTypeLike, quantization: tuple[float, int]
) -> NDArray[np.generic]:
    """Return the nearest steps of a quantised tensor to some values."""
    scale, zero_point = quantization
    limits = np.iinfo(np.dtype(dtype))
    steps = np.rint(values / float(scale)) + zero_point
    clipped: NDArray[np.generic] = np.clip(steps, limits.min, limits.max).astype(dtype)
    return clipped


def _look_up(table: NDArray[np.generic]) -> Conversion:
    """Return the look-up of each channel's pixels in its column of a (256, C) table."""
    if np.array_equal(table, np.broadcast_to(_PIXELS[:, None], table.shape)):
        return _keep
    if (table == table[:, :1]).all():
        column = np.ascontiguousarray(table[:, 0])
        return lambda pixels: column[pixels]
    channels = np.arange(table.shape[1])
    return lambda pixels: table[pixels, channels]


def _keep(pixels: NDArray[np.uint8]) -> NDArray[np.generic]:
    return pixels
