"""How `benchmarks/face_peers.py` measures models: shares of a set's images, and differences."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from face_models import EMOTIONS, FaceModel

from edgeemo.metrics import Interval, mcnemar_p_value, wilson_interval
from edgeemo.metrics.intervals import Z

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from face_sets import FaceSet, FaceSets

CONFIDENT = 0.8
_HAPPY, _SAD = "happiness", "sadness"
_PAIR = (_SAD, _HAPPY)
"""In the order in which equals are decided: two equal outputs of an edgeemo model are "sad"."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """The first model compared with another on the same images.

    Attributes:
        points: Share of the first model minus that of the other, in percentage points.
        low: Lower end of its 95 % interval.
        high: Upper end.
        mcnemar_p: p-value of McNemar's test.
        verdict: "ahead", "within" or "behind": the first model, seen from the other.
    """

    points: float
    low: float
    high: float
    mcnemar_p: float
    verdict: str


@dataclass(frozen=True, kw_only=True)
class Row:
    """One model's result on one set.

    Attributes:
        images: The set, or what is counted in it.
        model: Name of the model.
        share: Accuracy, or share of the images that are counted.
        balanced: Mean recall of the classes; None for a count.
        recall: Recall of every class that occurs; None for a count.
        difference: The first model compared with this one; None for itself.
    """

    images: str
    model: str
    share: Interval
    balanced: float | None = None
    recall: dict[str, float] | None = None
    difference: Difference | None = None


@dataclass(frozen=True, kw_only=True)
class Scored:
    """A model and its (N, K) probabilities for all crops."""

    model: FaceModel
    scores: np.ndarray

    def of(self, label: str) -> np.ndarray:
        """Return the (N,) probabilities of a class; 0 where the model lacks it."""
        labels = self.model.labels
        return self.scores[:, labels.index(label)] if label in labels else self.scores[:, 0] * 0

    def decide(self, labels: Sequence[str]) -> np.ndarray:
        """Return the (N,) most probable of some classes."""
        return np.array(labels)[np.argmax([self.of(label) for label in labels], axis=0)]


def compare(ours: np.ndarray, theirs: np.ndarray, *, sign: int = 1) -> Difference:
    """Compare what two models count in the same images.

    The interval is Wald's for a difference of paired proportions: A. Agresti, "Categorical Data
    Analysis", 2nd ed. (2002), section 10.1.1.

    Args:
        ours: (N,) whether the first model is correct, or counts the image.
        theirs: (N,) the same of the other.
        sign: 1 where a larger share is better, -1 where a smaller one is.
    """
    only_ours, only_theirs = int((ours & ~theirs).sum()), int((theirs & ~ours).sum())
    n = len(ours)
    points = (only_ours - only_theirs) / n
    reach = Z * math.sqrt(only_ours + only_theirs - (only_ours - only_theirs) ** 2 / n) / n
    better = sign * points
    verdict = "ahead" if better > reach else "behind" if better < -reach else "within"
    return Difference(
        points=100 * points,
        low=100 * (points - reach),
        high=100 * (points + reach),
        mcnemar_p=mcnemar_p_value(only_ours, only_theirs),
        verdict=verdict,
    )


def measure(faces: FaceSet, everyone: Sequence[Scored], labels: Sequence[str]) -> list[Row]:
    """Return each model's accuracy on a set; it predicts the most probable of some classes."""
    rows: list[Row] = []
    first = None
    for scored in everyone:
        correct = scored.decide(labels)[faces.rows] == faces.truth
        first = correct if first is None else first
        present = [label for label in labels if label in faces.truth]
        recall = {label: float(correct[faces.truth == label].mean()) for label in present}
        row = Row(
            images=faces.name,
            model=scored.model.name,
            share=wilson_interval(int(correct.sum()), len(correct)),
            balanced=float(np.mean(list(recall.values()))),
            recall=recall,
            difference=compare(first, correct) if rows else None,
        )
        rows.append(row)
    return rows


def count(
    name: str,
    faces: FaceSet,
    everyone: Sequence[Scored],
    counted: Callable[[Scored], np.ndarray],
    *,
    sign: int = -1,
) -> list[Row]:
    """Return each model's share of a set's images that are counted; by default fewer is better."""
    hits = [counted(scored)[faces.rows] for scored in everyone]
    return [
        Row(
            images=name,
            model=scored.model.name,
            share=wilson_interval(int(hit.sum()), len(hit)),
            difference=compare(hits[0], hit, sign=sign) if hit is not hits[0] else None,
        )
        for scored, hit in zip(everyone, hits, strict=True)
    ]


def is_confident(scored: Scored, *labels: str) -> np.ndarray:
    return np.max([scored.of(label) for label in labels], axis=0) >= CONFIDENT


def is_answered(scored: Scored) -> np.ndarray:
    """Return whether the prediction is happy or sad, no other class and not "not sure"."""
    best = scored.scores.max(axis=1)
    pair = np.maximum(scored.of(_HAPPY), scored.of(_SAD))
    return (pair == best) & (pair >= scored.model.min_confidence)


def compare_models(sets: FaceSets, everyone: Sequence[Scored]) -> dict[str, list[Row]]:
    """Return the rows of the three tables."""
    pairs = [row for faces in sets.pair for row in measure(faces, everyone, _PAIR)]
    confident = f"called happy or sad with p ≥ {CONFIDENT}"
    counts = [
        *count(
            f"neutral faces {confident}", sets.neutral, everyone,
            lambda scored: is_confident(scored, _HAPPY, _SAD),
        ),
        *count(
            f"angry and fearful faces called happy with p ≥ {CONFIDENT}", sets.angry, everyone,
            lambda scored: is_confident(scored, _HAPPY),
        ),
        *count(
            "happy and sad faces called one of the two", sets.pair[0], everyone, is_answered,
            sign=1,
        ),
    ]  # fmt: skip
    seven = {*EMOTIONS} - {"contempt"}
    able = [scored for scored in everyone if seven <= {*scored.model.labels}]
    emotions = measure(sets.emotions, able, EMOTIONS) if able else []
    return {"happy_or_sad": pairs, "counts": counts, "emotions": emotions}
