"""A steady label from predictions that flicker."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeemo.model.spec import ModelSpec
    from edgeemo.runtime.prediction import Prediction

LEAD = 0.15
"""Probability by which another label has to exceed the threshold before it is shown."""


class Steady:
    """The mean of a face's log-odds over time.

    Args:
        spec: The model's specification.
        time_constant_s: Time constant of the mean, in seconds; 0 for none.
    """

    def __init__(self, spec: ModelSpec, *, time_constant_s: float) -> None:
        self._spec, self._time_constant_s = spec, time_constant_s
        self._time_s: float | None = None
        self._logits: list[float] = []

    def update(self, raw: Prediction, *, time_s: float) -> Prediction:
        """Return the steady prediction after one of a frame.

        Args:
            raw: The prediction of the frame.
            time_s: Time of the frame, in seconds.
        """
        logits = [math.log(max(score, 1e-6)) for score in raw.scores.values()]
        if self._time_s is not None and self._time_constant_s:
            share = 1 - math.exp((self._time_s - time_s) / self._time_constant_s)
            logits = [
                old + share * (new - old) for old, new in zip(self._logits, logits, strict=True)
            ]
        self._time_s, self._logits = time_s, logits
        total = sum(map(math.exp, logits))
        scores = [math.exp(each) / total for each in logits]
        guess = self._spec.guess(scores)
        return replace(
            raw,
            label=self._spec.choose_label(scores),
            score=scores[guess],
            scores=dict(zip(self._spec.labels, scores, strict=True)),
            guess=self._spec.labels[guess],
        )
