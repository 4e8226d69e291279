"""From what was measured to what a diagnosis says: layers, differences, worst images."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.diagnose.attribution import decide_labels
from edgeemo.diagnose.evidence import LayerEvidence
from edgeemo.diagnose.report import LayerDiagnosis, WorstImage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edgeemo.diagnose.attribution import LayerEffect
    from edgeemo.diagnose.graph import Graph
    from edgeemo.diagnose.images import ImageSet
    from edgeemo.diagnose.measure import ActivationFigures
    from edgeemo.diagnose.report import Cause
    from edgeemo.model.spec import ModelSpec


@dataclass(frozen=True)
class Scores:
    """Probabilities of the test images, each (N, K).

    Attributes:
        int8: Those of the int8 file.
        float32: Those of the float32 file.
        replay: Those of the float network with the roundings of the int8 file.
        spec: Spec of the model.
    """

    int8: NDArray[np.float64]
    float32: NDArray[np.float64]
    replay: NDArray[np.float64]
    spec: ModelSpec

    @property
    def difference(self) -> NDArray[np.float64]:
        """Return |Δp| between the int8 and the float32 file."""
        return np.abs(self.int8 - self.float32)

    @property
    def replay_difference(self) -> NDArray[np.float64]:
        """Return |Δp| between the int8 file and its replay."""
        return np.abs(self.int8 - self.replay)

    @property
    def int8_labels(self) -> NDArray[np.int64]:
        """Return the labels predicted by the int8 file, (N,)."""
        return decide_labels(self.int8, self.spec)

    @property
    def float_labels(self) -> NDArray[np.int64]:
        """Return the labels predicted by the float32 file, (N,)."""
        return decide_labels(self.float32, self.spec)

    @property
    def replay_labels(self) -> NDArray[np.int64]:
        """Return the labels predicted by the replay, (N,)."""
        return decide_labels(self.replay, self.spec)


def collect_evidence(
    graph: Graph, figures: Sequence[ActivationFigures], effects: Sequence[LayerEffect]
) -> list[LayerEvidence]:
    """Return what is known of each layer, in the order of the effects."""
    activations = defaultdict(list)
    for each in figures:
        activations[each.layer].append(each)
    weights = defaultdict(list)
    for one in graph.weights:
        weights[one.layer].append(one)
    return [
        LayerEvidence(
            effect=effect,
            activations=activations[effect.layer],
            weights=weights[effect.layer],
            is_hard_swish=effect.layer in graph.hard_swish,
            is_last=effect.layer == graph.last,
            readers=graph.readers.get(effect.layer, ()),
        )
        for effect in effects
    ]


def describe_layer(evidence: LayerEvidence, cause: Cause | None) -> LayerDiagnosis:
    """Return the figures of a layer, its last activation's range and its worst noise."""
    effect, figures = evidence.effect, evidence.activations
    last = figures[-1] if figures else None
    outlier = max(figures, default=None, key=lambda each: each.outlier)
    return LayerDiagnosis(
        layer=evidence.name,
        low=last.low if last else None,
        high=last.high if last else None,
        grid_low=last.grid_low if last else None,
        grid_high=last.grid_high if last else None,
        clipped=max((each.clipped for each in figures), default=0.0),
        own_sqnr_db=_find_smallest([each.own_sqnr_db for each in figures]),
        sqnr_db=_find_smallest([last.sqnr_db] if last else []),
        weights_sqnr_db=_find_smallest(
            [each.sqnr_db for each in evidence.weights if each.sqnr_db is not None]
        ),
        outlier=outlier.outlier if outlier else 1.0,
        channel=outlier.channel if outlier else 0,
        alone=effect.alone,
        saved=effect.saved,
        weights_alone=effect.weights_alone,
        flips_alone=effect.flips_alone,
        flips_without=effect.flips_without,
        cause=cause,
    )


def _find_smallest(values: Sequence[float]) -> float | None:
    """Return the smallest finite number; None without one."""
    return min((each for each in values if math.isfinite(each)), default=None)


def list_worst(
    images: ImageSet, scores: Scores, at_most: int
) -> tuple[tuple[WorstImage, ...], list[int]]:
    """Return the images with the largest differences, flips first, and their rows."""
    labels, differences = scores.spec.labels, scores.difference.max(axis=1)
    ours, theirs = scores.int8_labels, scores.float_labels
    rows = np.lexsort((-differences, ours == theirs))[:at_most].tolist()
    return tuple(
        WorstImage(
            path=images.names[row],
            label=images.labels[row],
            float_label=labels[theirs[row]],
            float_score=float(scores.float32[row, theirs[row]]),
            int8_label=labels[ours[row]],
            int8_score=float(scores.int8[row, ours[row]]),
            difference=float(differences[row]),
        )
        for row in rows
    ), rows
