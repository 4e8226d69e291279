"""Agreement of an int8 file with the reference model on images that are not the test split's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.engines.load import load_engine
from edgeemo.model.container import SealedModel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from edgeemo.model.container import Format
    from edgeemo.model.spec import ModelSpec

_DOUBTFUL = 2.0
"""Largest margin, in logits, of an image that int8 may flip."""

_ENOUGH = 50
"""Number of images with the smallest margins that count as doubtful in any case."""

_SURE = 1e-4
"""Probabilities closer to 0 or 1 are taken as this far away from them."""


@dataclass(frozen=True)
class Agreement:
    """Agreement of a file with the reference model.

    Attributes:
        flips: Number of images for which the file predicts another label.
        expected_flips: Mean number of flips if the error of any doubtful image could have met any
            other. Flips alone are few and say little about other images.
    """

    flips: int
    expected_flips: float


class Judge:
    """Comparison of files with the reference model on the same images.

    Args:
        pixels: (N, H, W, C) uint8.
        scores: (N, K) probabilities of the reference model.
        spec: Spec of the model.
        split: Split of the images.
    """

    def __init__(
        self,
        pixels: NDArray[np.uint8],
        scores: NDArray[np.float64],
        *,
        spec: ModelSpec,
        split: str,
    ) -> None:
        self.split = split
        self._pixels, self._spec = pixels, spec
        self._labels = [spec.decide(row) for row in scores.tolist()]
        self._margins = self._measure_margins(scores, range(len(scores)))
        nearest = np.argsort(self._margins)
        count = max(_ENOUGH, int((self._margins < _DOUBTFUL).sum()))
        self._doubtful = nearest[:count]

    def __len__(self) -> int:
        return len(self._pixels)

    def compare(self, content: bytes, format: Format, *, at_most: int | None = None) -> Agreement:
        """Run a file.

        Args:
            content: The file, with the embedded spec.
            format: Its format.
            at_most: Number of doubtful images to run; by default all images.
        """
        model = SealedModel(
            path=f"int8.{format}",
            format=format,
            spec=self._spec,
            sha256="",
            size_bytes=len(content),
            content=content,
        )
        engine = load_engine(model)
        rows = range(len(self)) if at_most is None else self._doubtful[:at_most].tolist()
        scores = {row: self._spec.scores(engine.run(self._pixels[row])) for row in rows}
        flips = sum(self._spec.decide(each) != self._labels[row] for row, each in scores.items())
        doubtful = [row for row in self._doubtful.tolist() if row in scores]
        margins = self._measure_margins(np.array([scores[row] for row in doubtful]), doubtful)
        before = self._margins[doubtful]
        crossed = before[:, None] + (margins - before)[None, :] < 0
        return Agreement(flips, float(crossed.mean(axis=1).sum()))

    def _measure_margins(
        self, scores: NDArray[np.float64], rows: Iterable[int]
    ) -> NDArray[np.float64]:
        """Return by how many logits the reference model's label leads in the scores."""
        found = []
        for row, each in zip(rows, scores, strict=True):
            logs = np.log(np.clip(each, _SURE, 1 - _SURE))
            label = self._labels[row]
            if len(logs) == 2:
                odds = self._spec.threshold / (1 - self._spec.threshold)
                found.append((logs[1] - logs[0] - np.log(odds)) * (1 if label else -1))
            else:
                found.append(logs[label] - np.delete(logs, label).max())
        return np.array(found)
