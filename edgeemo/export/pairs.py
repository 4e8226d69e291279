"""For int8 alone: a first convolution that reads two pixels at a time.

XNNPACK's int8 kernels for Arm take input channels in eights (in fours with the dot product of a
Cortex-A76) and fill up with zeros: of a first convolution on 3 channels five eighths of the
multiplications are wasted, on grey seven eighths. Two neighbours in a row lie side by side in
memory, so (1, H, W, C) is (1, H, W/2, 2 C) without moving a byte. A kernel of 3 x 3 on pixels
becomes one of 3 x 2 on pairs, which gives both pixels of an output pair at once:

    taps         3 x 3 = 9 per pixel, 8 channels each   ->  72
    pairs        3 x 2 = 6 per pair,  8 channels each   ->  48 for each of two outputs' kernels,
                                                            that is 48 per pixel

The products are the same and int8 sums are exact, each kernel keeps its scale (the zeros that are
added change no maximum), so the file answers to the bit as without. `docs/device-cost.md` has what
it gives. Float kernels waste nothing, and float files stay as they are; so does a convolution with
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


def reading_pairs(network: Any) -> Any:
    """The network with its first convolution on pairs of pixels, where that can be done.

    Args:
        network: From ``image`` (1, H, W, C) to {"prob": (1, N)}, as
            `edgeemo.export.graph.deployable` gives it.

    Returns:
        A `keras.Model` of the same inputs and outputs that answers alike.
    """
    keras = import_keras()
    inputs = keras.Input(batch_shape=network.inputs[0].shape, name=INPUT)
    (output,) = keras.tree.flatten(_FirstConvolution().apply(network, inputs))
    return keras.Model(inputs, {OUTPUT: output}, name=NAME)


class _FirstConvolution(Rebuilder):
    """Replaces convolutions on few channels."""

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

    def replaced(self, layer: Any, tensor: Any) -> Any | None:
        _, height, width, channels = tensor.shape
        if channels * _PAIR > _PACKED_CHANNELS or width % _PAIR:
            return None
        layers, name = self.keras.layers, f"{layer.name}_pairs"
        pairs = layers.Reshape((height, width // _PAIR, _PAIR * channels), name=f"{name}_in")
        found = self._convolution(layer, name)(pairs(tensor))
        _, height, width, filters = found.shape
        pixels = layers.Reshape((height, width * _PAIR, filters // _PAIR), name=f"{name}_out")
        return pixels(found)

    def _convolution(self, layer: Any, name: str) -> Any:
        kernel, bias = layer.get_weights()
        kernel = paired_kernel(kernel)
        paired = self.keras.layers.Conv2D(
            kernel.shape[3], kernel.shape[:2], activation=layer.activation, name=name
        )
        paired.build((None, None, None, kernel.shape[2]))
        paired.set_weights([kernel, np.tile(bias, _PAIR)])
        return paired


def paired_kernel(kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    """A convolution's kernel on pixels as one on pairs of pixels.

    Args:
        kernel: (h, w, C, F) with w odd, stride 1.

    Returns:
        (h, (w + 1) / 2, 2 C, 2 F): channels are those of the left pixel, then the right one's;
        filters those of the left output, then the right one's. What one output does not read is 0.
    """
    height, width, channels, filters = kernel.shape
    paired = np.zeros((height, (width + 1) // _PAIR, _PAIR, channels, _PAIR, filters), np.float32)
    for output in range(_PAIR):
        for tap in range(width):
            pair, pixel = divmod(output + tap, _PAIR)
            paired[:, pair, pixel, :, output] = kernel[:, tap]
    return paired.reshape(height, -1, _PAIR * channels, _PAIR * filters)
