"""A first convolution that reads two pixels at a time; for int8 only.

XNNPACK's int8 kernels for Arm read input channels in eights (in fours with the dot product of a
Cortex-A76), padded with zeros: five eighths of the multiplications of a first convolution on 3
channels are wasted, seven eighths on grey. Two neighbours in a row are adjacent in memory, so
(1, H, W, C) is (1, H, W/2, 2 C) without moving a byte. A kernel of 3 x 3 on pixels becomes one of
3 x 2 on pairs, which gives both pixels of an output pair at once:

    taps         3 x 3 = 9 per pixel, 8 channels each   ->  72
    pairs        3 x 2 = 6 per pair,  8 channels each   ->  48 for each of two outputs' kernels,
                                                            that is 48 per pixel

The products are the same, int8 sums are exact, and each kernel keeps its scale (the added zeros
change no maximum), so the predictions stay the same to the bit. `docs/device-cost.md` has the
savings. Float kernels waste nothing, so float files are not changed; nor is a convolution with
padding "same", since padding first costs more than this saves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo.export.graph import INPUT, NAME, OUTPUT
from edgeemo.export.rebuild import Rebuilder
from edgeemo.model.keras import import_keras

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PAIR = 2
_PACKED_CHANNELS = 8


def pair_pixels(network: Any) -> Any:
    """Return the network with its first convolution on pairs of pixels, if that is possible.

    Args:
        network: A `keras.Model` from ``image`` (1, H, W, C) to {"prob": (1, N)}, as of
            `edgeemo.export.graph.build_deployed`.

    Returns:
        A `keras.Model` with the same inputs, outputs and predictions.
    """
    keras = import_keras()
    inputs = keras.Input(batch_shape=network.inputs[0].shape, name=INPUT)
    (output,) = keras.tree.flatten(_ConvolutionReplacer().apply(network, inputs))
    return keras.Model(inputs, {OUTPUT: output}, name=NAME)


class _ConvolutionReplacer(Rebuilder):
    """Replacement of convolutions on few channels."""

    def may_replace(self, layer: Any) -> bool:
        return (
            type(layer) is self.keras.layers.Conv2D
            and layer.data_format == "channels_last"
            and layer.kernel_size[1] % 2 == 1
            and layer.kernel_size[1] > 1
            and layer.padding == "valid"
            and layer.strides == (1, 1)
            and layer.dilation_rate == (1, 1)
            and layer.groups == 1
            and layer.use_bias
            and layer.activation in (self.keras.activations.linear, self.keras.activations.relu)
        )

    def replace(self, layer: Any, tensor: Any) -> Any | None:
        _, height, width, channels = tensor.shape
        if channels * _PAIR > _PACKED_CHANNELS or width % _PAIR:
            return None
        layers, name = self.keras.layers, f"{layer.name}_pairs"
        pairs = layers.Reshape((height, width // _PAIR, _PAIR * channels), name=f"{name}_in")
        output = self._build_convolution(layer, name)(pairs(tensor))
        _, height, width, filters = output.shape
        pixels = layers.Reshape((height, width * _PAIR, filters // _PAIR), name=f"{name}_out")
        return pixels(output)

    def _build_convolution(self, layer: Any, name: str) -> Any:
        kernel, bias = layer.get_weights()
        kernel = pair_kernel(kernel)
        paired = self.keras.layers.Conv2D(
            kernel.shape[3], kernel.shape[:2], activation=layer.activation, name=name
        )
        paired.build((None, None, None, kernel.shape[2]))
        paired.set_weights([kernel, np.tile(bias, _PAIR)])
        return paired


def pair_kernel(kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a convolution's kernel on pixels as one on pairs of pixels.

    Args:
        kernel: (h, w, C, F) with w odd, stride 1.

    Returns:
        (h, (w + 1) / 2, 2 C, 2 F): channels of the left pixel, then of the right one; filters
        of the left output, then of the right one. Weights of pixels that an output does not read
        are 0.
    """
    height, width, channels, filters = kernel.shape
    paired = np.zeros((height, (width + 1) // _PAIR, _PAIR, channels, _PAIR, filters), np.float32)
    for output in range(_PAIR):
        for tap in range(width):
            pair, pixel = divmod(output + tap, _PAIR)
            paired[:, pair, pixel, :, output] = kernel[:, tap]
    return paired.reshape(height, -1, _PAIR * channels, _PAIR * filters)
