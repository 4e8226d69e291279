"""Proof that a file for other programs predicts as the verified file that it was made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.engines.load import load_engine
from edgeemo.engines.rewrite import find_integer_ends
from edgeemo.errors import EngineError, ParityError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edgeemo.engines.base import Engine
    from edgeemo.model.container import SealedModel

MAX_DIFFERENCE = 1e-6
"""Largest difference of a probability on the same pixels: 1 - p is rounded to float32. The integer
form has none."""

_LARGEST = 255 / 256
"""Largest probability of an integer output."""

_FLIPS_PER_IMAGE = 1 / 100


@dataclass(frozen=True, kw_only=True)
class Equality:
    """Predictions of a file for other programs against those of the verified file.

    Attributes:
        n: Number of images.
        max_difference: Largest `|Δp|` on the same pixels, grey ones in all three channels.
        file_max_difference: Largest `|Δp|` from image file to label, where a colour image is
            resized as RGB and turned grey by the graph.
        file_flips: Number of images with another label, from image file to label.
    """

    n: int
    max_difference: float
    file_max_difference: float
    file_flips: int

    @property
    def agrees(self) -> bool:
        """Return whether at most 1 image in 100, or one, has another label from its file."""
        return self.file_flips <= max(1, int(self.n * _FLIPS_PER_IMAGE))

    def is_closer(self, other: Equality) -> bool:
        """Return whether fewer images have another label, or as many and Δp is less."""
        mine, theirs = ((each.file_flips, each.file_max_difference) for each in (self, other))
        return mine < theirs


@dataclass
class Witness:
    """Comparison of a file for other programs with its verified file, image by image.

    Args:
        verified: The verified file.
        client: The file for other programs.
        same_size: The same form at the size of the verified file, where `client` has another.
    """

    verified: SealedModel
    client: SealedModel
    same_size: SealedModel
    scores: list[tuple[float, ...]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lean, self._client = load_engine(self.verified), load_engine(self.client)
        self._same: Engine = (
            self._client if self.same_size is self.client else load_engine(self.same_size)
        )
        self._is_integer = self.client.format == "tflite" and _gives_bytes(self.client)
        self._differences: list[float] = []
        self._file_differences: list[float] = []
        self._flips = 0

    @property
    def engine(self) -> str:
        """Return package and version of the engine."""
        return self._client.name

    def compare(self, pixels: NDArray[np.uint8], client_pixels: NDArray[np.uint8]) -> None:
        """Compare the predictions for one image.

        Args:
            pixels: The image as the verified file takes it: (H, W, C) uint8.
            client_pixels: The image as the other file takes it: (H, W, 3) uint8.

        Raises:
            EngineError: If an engine fails.
        """
        expected = self._expect(pixels)
        rgb = np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels
        same = self._same.run(np.ascontiguousarray(rgb))
        self._differences.append(_largest_difference(expected, same))
        found = tuple(self._client.run(client_pixels))
        self._file_differences.append(_largest_difference(expected, found))
        spec = self.verified.spec
        self._flips += spec.decide(expected) != spec.decide(found)
        self.scores.append(found)

    def _expect(self, pixels: NDArray[np.uint8]) -> Sequence[float]:
        spec = self.verified.spec
        scores = spec.scores(self._lean.run(pixels))
        return tuple(min(each, _LARGEST) for each in scores) if self._is_integer else scores

    def conclude(self) -> Equality:
        """Return the comparison.

        Raises:
            ParityError: If the predictions differ on the same pixels.
        """
        worst = max(self._differences)
        allowed = 0.0 if self._is_integer else MAX_DIFFERENCE
        if not worst <= allowed:  # also refuses NaN
            raise ParityError(
                f"{self.client.path}: its probabilities differ from those of "
                f"{self.verified.path} by up to {worst:.2g}, where {allowed:.2g} is allowed; "
                "nothing was written"
            )
        return Equality(
            n=len(self._differences),
            max_difference=worst,
            file_max_difference=max(self._file_differences),
            file_flips=self._flips,
        )


def _largest_difference(expected: Sequence[float], found: Sequence[float]) -> float:
    if len(expected) != len(found):
        raise EngineError(f"{len(found)} columns where there are {len(expected)} labels")
    return float(np.abs(np.subtract(expected, found)).max())


def _gives_bytes(model: SealedModel) -> bool:
    return find_integer_ends(model.content or b"")[1]
