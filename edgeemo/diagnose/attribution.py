"""The share of each layer in the error of the probabilities.

One layer at a time runs in int8 with the others in float, and one at a time in float with the
others in int8. The error is the mean square of Δp: roundings are nearly independent, so their mean
squares nearly add up, and a share can be stated.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from edgeemo.diagnose.graph import Graph
    from edgeemo.model.spec import ModelSpec
    from edgeemo.utils.progress import Progress

_MOST_THREADS = 8
_LARGE = 0.05
"""Share of the sum of all errors from which that of a layer's weights is measured apart."""


@dataclass(frozen=True, kw_only=True)
class LayerEffect:
    """The effect of one layer on the error of the probabilities.

    Attributes:
        layer: Layer of Keras.
        alone: Mean square of Δp with this layer alone in int8, as a share of that of the whole
            network in int8.
        saved: Share of that error that goes away with this layer alone in float; may be negative.
        flips_alone: Number of labels that change with this layer alone in int8.
        flips_without: Number that change with all layers but this one in int8.
        weights_alone: As `alone`, with its weights alone in int8; None for a small error.
    """

    layer: str
    alone: float
    saved: float
    flips_alone: int
    flips_without: int
    weights_alone: float | None = None


@dataclass(frozen=True)
class Attribution:
    """The effects of all layers.

    Attributes:
        layers: The effects, in the order of the network.
        narrow_gain: Mean |Δp| of the whole network in int8 over that with smaller ranges.
        scores: (N, K) probabilities of the whole network in int8, rewritten as a float network.
        exact: (N, K) probabilities of the network in float.
    """

    layers: tuple[LayerEffect, ...]
    narrow_gain: float
    scores: NDArray[np.float64]
    exact: NDArray[np.float64]


def attribute(
    graph: Graph,
    images: Sequence[NDArray[np.float32]],
    *,
    narrow: Mapping[str, float],
    spec: ModelSpec,
    progress: Progress,
) -> Attribution:
    """Measure the effect of every layer.

    Args:
        graph: The network.
        images: At least one image, each (H, W, C) in [0, 1].
        narrow: Factors of the ranges of some activations, to be tried.
        spec: Spec of the model.
        progress: Receiver of the progress.
    """
    every = frozenset(graph.layers)
    choices = [_Choice(), _Choice(every), _Choice(every, narrow=narrow)]
    for layer in graph.layers:
        choices += [_Choice({layer}), _Choice(every - {layer})]
    progress.stage("Running one layer at a time", total=len(choices))
    runner = _Runner(graph, images, spec)
    exact, scores, narrower, *others = runner.run(choices, progress)
    labels = decide_labels(exact, spec)
    total = _measure_error(scores, exact)
    effects = []
    for number, layer in enumerate(graph.layers):
        alone, without = others[2 * number : 2 * number + 2]
        effects.append(
            LayerEffect(
                layer=layer,
                alone=_measure_error(alone, exact) / total if total else 0.0,
                saved=1 - _measure_error(without, exact) / total if total else 0.0,
                flips_alone=int((decide_labels(alone, spec) != labels).sum()),
                flips_without=int((decide_labels(without, spec) != labels).sum()),
            )
        )
    gain = np.abs(scores - exact).mean() / max(np.abs(narrower - exact).mean(), 1e-30)
    return Attribution(
        layers=_split_effects(effects, runner, exact=exact, total=total, progress=progress),
        narrow_gain=float(gain),
        scores=scores,
        exact=exact,
    )


def _split_effects(
    effects: Sequence[LayerEffect],
    runner: _Runner,
    *,
    exact: NDArray[np.float64],
    total: float,
    progress: Progress,
) -> tuple[LayerEffect, ...]:
    """Return the effects with the part of the weights in the large ones."""
    least = _LARGE * sum(each.alone for each in effects)
    large = [each.layer for each in effects if each.alone > least]
    progress.stage("Running the weights of one layer at a time", total=len(large))
    found = runner.run([_Choice({layer}, weights_only=True) for layer in large], progress)
    errors = [_measure_error(scores, exact) / total for scores in found]
    alone = dict(zip(large, errors, strict=True))
    return tuple(replace(each, weights_alone=alone.get(each.layer)) for each in effects)


@dataclass(frozen=True)
class _Choice:
    """Layers in int8, and how; the arguments of `Graph.build`."""

    quantised: Collection[str] = ()
    narrow: Mapping[str, float] = field(default_factory=dict)
    weights_only: bool = False


@dataclass(frozen=True)
class _Runner:
    graph: Graph
    images: Sequence[NDArray[np.float32]]
    spec: ModelSpec

    def run(self, choices: Sequence[_Choice], progress: Progress) -> list[NDArray[np.float64]]:
        """Return the (N, K) probabilities of each choice, a step of the progress each."""
        results = []
        with ThreadPoolExecutor(min(os.cpu_count() or 1, _MOST_THREADS)) as pool:
            for result in pool.map(self._predict, choices):
                results.append(result)
                progress.advance()
        return results

    def _predict(self, choice: _Choice) -> NDArray[np.float64]:
        run = self.graph.build(
            choice.quantised, narrow=choice.narrow, weights_only=choice.weights_only
        )
        raw = (run.predict(image).tolist() for image in self.images)
        return np.asarray([self.spec.scores(row) for row in raw], np.float64)


def decide_labels(scores: NDArray[np.float64], spec: ModelSpec) -> NDArray[np.int64]:
    """Return the index of the label that the spec decides for each of (N, K) scores: (N,)."""
    return np.asarray([spec.decide(row) for row in scores.tolist()], np.int64)


def _measure_error(scores: NDArray[np.float64], exact: NDArray[np.float64]) -> float:
    return float(np.square(scores - exact).mean())
