"""An exported file for `benchmarks/clients.py`: its images, and what edgeemo predicts."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from PIL import Image

from edgeemo import Classifier
from edgeemo.imaging.preprocess import preprocess
from edgeemo.model.container import unseal

if TYPE_CHECKING:
    from pathlib import Path


_ROW = re.compile(r"(?:\S+=)?[-+.\de]+(?: (?:\S+=)?[-+.\de]+)*")


@dataclass
class Subject:
    """An exported file, the images at its size, and what edgeemo predicts.

    Attributes:
        path: The file.
        sources: The images.
        folder: A folder for the images at the file's size.
    """

    path: Path
    sources: list[Path]
    folder: Path

    @cached_property
    def classifier(self) -> Classifier:
        """The file in edgeemo, which takes every image whole."""
        return Classifier.from_model(unseal(self.path), faces=None)

    @cached_property
    def images(self) -> list[Path]:
        """The images as the network takes them, as PNG files."""
        spec = replace(self.classifier.spec, faces=None)
        self.folder.mkdir()
        places = [self.folder / f"{number:03}.png" for number in range(len(self.sources))]
        for source, place in zip(self.sources, places, strict=True):
            pixels = preprocess(source, spec)
            Image.fromarray(pixels[..., 0] if spec.channels == 1 else pixels).save(place)
        return places

    @cached_property
    def scores(self) -> list[dict[str, float]]:
        """The probability of every label, per image."""
        spec = replace(self.classifier.spec, faces=None)
        return [
            self.classifier.predict_pixels(preprocess(each, spec)).scores for each in self.images
        ]

    def measure_difference(self, output: str) -> float:
        """Return the largest difference of a client's probabilities.

        Args:
            output: A line per image: the network's output, or LABEL=SCORE for each label.

        Raises:
            ValueError: If it is anything else.
        """
        lines = [line for line in output.splitlines() if _ROW.fullmatch(line.strip())]
        if len(lines) != len(self.images):
            raise ValueError(f"it predicts {len(lines)} of {len(self.images)} images")
        rows = [
            self._read_row(line, list(ours)) for line, ours in zip(lines, self.scores, strict=True)
        ]
        return max(
            abs(score - ours[label])
            for row, ours in zip(rows, self.scores, strict=True)
            for label, score in row.items()
        )

    def _read_row(self, line: str, labels: list[str]) -> dict[str, float]:
        if "=" not in line:
            values = [float(word) for word in line.split()]
            return dict(zip(labels[-len(values) :], values, strict=True))
        pairs = [word.partition("=") for word in line.split()]
        if not {label for label, _, _ in pairs} <= set(labels):
            raise ValueError(f"its labels are {', '.join(label for label, _, _ in pairs)}")
        return {label: float(score) for label, _, score in pairs}
