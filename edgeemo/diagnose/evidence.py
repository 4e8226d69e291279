"""What is known of one layer, and the likely cause of its error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeemo.diagnose.report import Cause

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from edgeemo.diagnose.attribution import LayerEffect
    from edgeemo.diagnose.graph import Weights
    from edgeemo.diagnose.measure import ActivationFigures

SLOPE = 0.25
"""Of the sigmoid in its middle, where it is steepest; of a softmax of two, too."""

_CLIPPED = 0.001
"""Share of clipped values from which a calibration is saturated, ..."""

_CLIPPING = 0.5
"""... if they make at least this part of the noise."""

_OUTLIER = 10.0
"""Range of a channel, in multiples of the median channel's, from which it is an outlier."""

_MIN_CHANNELS = 4
"""Number of channels from which there is a median channel."""

_STRAY = 2.0
"""Gain by a smaller range from which a few values may be strays."""

_OUTPUT_STEP = 1 / 256


@dataclass(frozen=True, kw_only=True)
class LayerEvidence:
    """What is known of one layer.

    Attributes:
        effect: Its effect on the probabilities.
        activations: Figures of its activations, in the order of the network.
        weights: Its quantised weights.
        is_hard_swish: Whether it is a hard-swish activation.
        is_last: Whether it gives the probabilities.
        readers: Layers that read its output.
    """

    effect: LayerEffect
    activations: Sequence[ActivationFigures]
    weights: Sequence[Weights]
    is_hard_swish: bool
    is_last: bool
    readers: Sequence[str] = ()

    @property
    def name(self) -> str:
        """Return the name of the layer."""
        return self.effect.layer

    @property
    def logit_step(self) -> float:
        """Return the step of its coarsest activation: the logits, before the probabilities."""
        return max((each.step for each in self.activations), default=0.0)

    @property
    def is_by_weights(self) -> bool:
        """Return whether the rounding of its weights makes the error, rather than its output's."""
        return (self.effect.weights_alone or 0.0) > self.effect.alone / 2

    @property
    def outlier(self) -> tuple[str, float, int] | None:
        """Return what an outlier channel is in, its size in median channels, and its number."""
        found = [
            ("its output", each.outlier, each.channel)
            for each in self.activations
            if each.channels >= _MIN_CHANNELS
        ]
        found += [
            ("its weights", each.outlier, each.channel)
            for each in self.weights
            if not each.per_channel and each.channels >= _MIN_CHANNELS
        ]
        largest = max(found, default=None, key=lambda each: each[1])
        return largest if largest is not None and largest[1] >= _OUTLIER else None


def choose_narrow(figures: Iterable[ActivationFigures]) -> dict[str, float]:
    """Return factors of the ranges that may be too large for the sake of a few values, by key."""
    return {each.key: each.narrow for each in figures if each.narrow_gain >= _STRAY}


def find_cause(evidence: LayerEvidence, *, narrow_helps: bool, reads_outlier: bool) -> Cause:
    """Return the likely cause of a layer's error.

    Args:
        evidence: What is known of the layer.
        narrow_helps: Whether the ranges of `choose_narrow` give better predictions.
        reads_outlier: Whether its input has an outlier channel, which multiplies the rounding of
            its weights.
    """
    figures = evidence.activations
    if any(each.clipped >= _CLIPPED and each.clipping >= _CLIPPING for each in figures):
        return Cause.SATURATED
    if evidence.is_last:
        is_coarse = evidence.logit_step * SLOPE > 2 * _OUTPUT_STEP
        return Cause.LAST_STEPS if is_coarse else Cause.COARSE
    if evidence.outlier or reads_outlier:
        return Cause.OUTLIER
    if narrow_helps and choose_narrow(figures):
        return Cause.STRAY
    return Cause.HARD_SWISH if evidence.is_hard_swish else Cause.COARSE
