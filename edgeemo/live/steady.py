"""A steady label from predictions that flicker."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from edgeemo.model.spec import NOT_SURE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.model.spec import ModelSpec
    from edgeemo.runtime.prediction import Prediction

MARGIN = 0.15
"""Probability beyond a threshold, on either side, from which the label that is shown changes."""

LEAD = 0.4
"""Probability by which another label has to lead the one that is shown, of three or more."""

RATIO = 5 / 3
"""Times as probable as the one that is shown that it has to be in the slow mean."""

GAP_S = 2.0
"""Seconds without a prediction after which the mean begins again."""

SLOW = 5
"""Times the time constant, which is that of the mean that settles what stays within the margin."""

_MIN_SCORE = 1e-4  # whose logarithm is the least that one frame adds to a mean
_MIN_VOTE = 0.03  # the same where labels are compared: see `Steady`


class Steady:
    """The mean of a face's log-odds over time, and a label that changes only when that is certain.

    Labels are compared by means in which no probability counts for less than 0.03: in the mean of
    logarithms alone, a label that is improbable before and after a change, but never as improbable
    as the other two are in turn, leads for a moment.

    Args:
        spec: The model's specification.
        time_constant_s: Time constant of the mean, in seconds. 0 turns mean and hysteresis off.
    """

    def __init__(self, spec: ModelSpec, *, time_constant_s: float) -> None:
        self._spec, self._time_constant_s = spec, time_constant_s
        self._scores = _Mean(time_constant_s, min_score=_MIN_SCORE)
        self._votes = _Mean(time_constant_s, min_score=_MIN_VOTE)
        self._slow_votes = _Mean(SLOW * time_constant_s, min_score=_MIN_VOTE)
        self._time_s: float | None = None
        self._shown: int | None = None
        self._is_sure: bool | None = None

    def change_spec(self, spec: ModelSpec) -> None:
        """Continue with another specification; its thresholds count at once.

        With other labels the mean begins again.
        """
        if spec.labels != self._spec.labels:
            self._time_s = None
        if spec.threshold != self._spec.threshold:
            self._shown = None
        if spec.min_confidence != self._spec.min_confidence:
            self._is_sure = None
        self._spec = spec

    def relabel(self, before: Prediction) -> Prediction:
        """Return the last prediction with the label that the present thresholds give it."""
        scores = list(before.scores.values())
        if tuple(before.scores) != self._spec.labels:
            return before
        if self._shown is None:
            return replace(before, label=self._spec.choose_label(scores))
        return replace(before, label=self._label(self._shown, scores)[0])

    def hold(self, time_s: float) -> None:
        """Take a frame in which nothing moves for one with the same prediction as before."""
        self._time_s = time_s

    def update(self, raw: Prediction, *, time_s: float) -> Prediction:
        """Return the steady prediction after the one of a frame.

        Args:
            raw: The prediction of the frame.
            time_s: Time of the frame, in seconds.

        Returns:
            The mean's probabilities and the label that is shown. `guess` is the class that is
            shown, or would be if the model were sure of it, and `score` its probability.
        """
        if not self._time_constant_s:
            return raw
        frame = list(raw.scores.values())
        seconds = math.inf if self._time_s is None else time_s - self._time_s
        self._time_s = time_s
        if not 0 <= seconds <= GAP_S:
            seconds, self._shown = math.inf, None
        scores = self._scores.add(frame, seconds)
        shown = self._choose(self._votes.add(frame, seconds), self._slow_votes.add(frame, seconds))
        label, guess = self._label(shown, scores)
        return replace(
            raw,
            label=label,
            score=scores[guess],
            scores=dict(zip(self._spec.labels, scores, strict=True)),
            guess=self._spec.labels[guess],
        )

    def _choose(self, votes: Sequence[float], slow_votes: Sequence[float]) -> int:
        """Return the label to show."""
        best = self._spec.decide(votes)
        if self._shown is None or (
            best != self._shown
            and (self._leads(votes, best) or self._leads_slowly(slow_votes, best))
        ):
            self._shown, self._is_sure = best, None
        return self._shown

    def _leads(self, scores: Sequence[float], best: int) -> bool:
        """Return whether the most probable label leads the one that is shown by far."""
        if len(scores) == 2:
            return self._passes(scores, best, MARGIN)
        return scores[best] - scores[self._shown or 0] >= LEAD

    def _leads_slowly(self, scores: Sequence[float], best: int) -> bool:
        """Return the same of the slow mean, in which less is enough."""
        if len(scores) == 2:
            return self._passes(scores, best, MARGIN / 2)
        return (
            self._spec.decide(scores) == best and scores[best] >= RATIO * scores[self._shown or 0]
        )

    def _passes(self, scores: Sequence[float], best: int, margin: float) -> bool:
        above, below = _spread(self._spec.threshold, margin)
        return scores[1] >= above if best == 1 else scores[1] <= below

    def _label(self, shown: int, scores: Sequence[float]) -> tuple[str, int]:
        """Return the text that is shown, and the index of the class of which it tells."""
        spec = self._spec
        if spec.labels[shown] == spec.background:
            return spec.labels[shown], spec.guess(scores)
        above, below = _spread(spec.min_confidence, MARGIN)
        if self._is_sure is None:
            self._is_sure = scores[shown] >= spec.min_confidence
        elif not below <= scores[shown] < above:
            self._is_sure = scores[shown] >= above
        return spec.labels[shown] if self._is_sure else NOT_SURE, shown


class _Mean:
    """An exponential moving average of log-probabilities, by the time, not by the frame."""

    def __init__(self, time_constant_s: float, *, min_score: float) -> None:
        self._time_constant_s, self._min_score = time_constant_s, min_score
        self._logits: list[float] = []

    def add(self, scores: Sequence[float], seconds: float) -> list[float]:
        """Add a frame and return the mean's probabilities.

        Args:
            scores: The frame's probabilities.
            seconds: Seconds since the frame before; infinity begins the mean again.
        """
        new = [math.log(max(score, self._min_score)) for score in scores]
        if math.isfinite(seconds):
            # one frame stands for a time constant at most, however rare frames are
            share = 1 - math.exp(-min(1.0, seconds / self._time_constant_s))
            new = [old + share * (each - old) for old, each in zip(self._logits, new, strict=True)]
        self._logits = new
        odds = [math.exp(each) for each in new]
        return [each / sum(odds) for each in odds]


def _spread(threshold: float, margin: float) -> tuple[float, float]:
    """Return the thresholds to reach and to fall below; at most half the way to 1 and to 0."""
    above, below = (min(margin, room / 2) for room in (1 - threshold, threshold))
    return threshold + above, threshold - below
