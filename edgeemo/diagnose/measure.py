"""Ranges, clipping and noise of every activation, measured image by image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.diagnose.weights import compare_largest, to_db

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from edgeemo.diagnose.graph import Activation, Graph
    from edgeemo.utils.progress import Progress

_NARROW = (0.5, 0.25)
"""Factors of the range that are tried on."""

_MARGIN = 2.0
"""Steps beyond the range within which a value is rounded rather than clipped; the last logit may
be shifted by as much, see `edgeemo.export.logit`."""


@dataclass(frozen=True, kw_only=True)
class ActivationFigures:
    """Figures of one activation over some images.

    Attributes:
        key: Name of the activation within the graph.
        layer: Layer of Keras.
        low: Smallest value in float.
        high: Largest value in float.
        grid_low: Smallest value that the integers can hold.
        grid_high: Largest value that they can hold.
        step: Distance of two values of the integers.
        clipped: Share of the values in float that lie beyond what the integers can hold.
        own_sqnr_db: Signal to quantisation noise of its own rounding, in dB.
        sqnr_db: Signal to quantisation noise with everything before it in int8, in dB.
        clipping: Share of the power of its own noise that comes from clipped values.
        narrow: Factor of the range that gives it the least noise of its own: 1, 1/2 or 1/4.
        narrow_gain: Power of its own noise over that with this factor.
        outlier: Range of the channel with the largest one over that of the median channel.
        channel: Number of that channel.
        channels: Number of channels.
    """

    key: str
    layer: str
    low: float
    high: float
    grid_low: float
    grid_high: float
    step: float
    clipped: float
    own_sqnr_db: float
    sqnr_db: float
    clipping: float
    narrow: float
    narrow_gain: float
    outlier: float
    channel: int
    channels: int


def measure_activations(
    graph: Graph, images: Iterable[NDArray[np.float32]], *, progress: Progress
) -> tuple[ActivationFigures, ...]:
    """Return the figures of every activation, in the order of the network.

    Args:
        graph: The network.
        images: At least one image, each (H, W, C) in [0, 1].
        progress: Receiver of the progress, a step per image.
    """
    exact = graph.build((), keeps_activations=True)
    integer = graph.build(graph.layers, keeps_activations=True)
    tallies = [_Tally(activation) for activation in graph.activations]
    for image in images:
        exact.predict(image)
        integer.predict(image)
        for tally in tallies:
            key = tally.activation.key
            tally.add(exact.read(key), integer.read(key))
        progress.advance()
    return tuple(tally.summarise() for tally in tallies)


class _Tally:
    """Sums over the images for one activation."""

    def __init__(self, activation: Activation) -> None:
        self.activation = activation
        self._low, self._high = np.inf, -np.inf
        self._count = self._clipped = 0
        self._signal = self._own = self._beyond = self._all = 0.0
        self._narrow = np.zeros(len(_NARROW))
        self._sizes = np.zeros(activation.channels, np.float32)

    def add(self, exact: NDArray[np.float32], integer: NDArray[np.float32]) -> None:
        """Add the values of one image, in float and with everything before them in int8."""
        grid = self.activation.quantisation
        low, high = grid.range
        self._low, self._high = min(self._low, exact.min()), max(self._high, exact.max())
        margin = _MARGIN * grid.scale
        outside = (exact < low - margin) | (exact > high + margin)
        outside &= not self.activation.is_output
        noise = np.square(grid.round(exact) - exact)
        self._count += exact.size
        self._clipped += int(outside.sum())
        self._signal += _sum(np.square(exact))
        self._own += _sum(noise)
        self._beyond += _sum(noise[outside])
        self._all += _sum(np.square(grid.round(integer) - exact))
        self._narrow += [
            _sum(np.square(grid.narrow(factor).round(exact) - exact)) for factor in _NARROW
        ]
        axis = self.activation.channels_axis
        others = tuple(each for each in range(exact.ndim) if each != axis)
        sizes = np.abs(exact).max(axis=others).reshape(-1, self.activation.channels).max(axis=0)
        self._sizes = np.maximum(self._sizes, sizes)

    def summarise(self) -> ActivationFigures:
        """Return the figures."""
        grid = self.activation.quantisation
        low, high = grid.range
        noise = [self._own, *self._narrow.tolist()]
        return ActivationFigures(
            key=self.activation.key,
            layer=self.activation.layer,
            low=float(self._low),
            high=float(self._high),
            grid_low=low,
            grid_high=high,
            step=grid.scale,
            clipped=self._clipped / self._count,
            own_sqnr_db=to_db(self._signal, self._own),
            sqnr_db=to_db(self._signal, self._all),
            clipping=self._beyond / self._own if self._own else 0.0,
            narrow=(1.0, *_NARROW)[int(np.argmin(noise))],
            narrow_gain=self._own / max(min(noise), 1e-30),
            outlier=compare_largest(self._sizes),
            channel=int(self._sizes.argmax()),
            channels=len(self._sizes),
        )


def _sum(values: NDArray[np.float32]) -> float:
    return float(values.sum(dtype=np.float64))
