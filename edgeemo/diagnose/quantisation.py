"""The grid of values that an integer tensor can hold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Quantisation:
    """Scale and zero point of an activation: value = (integer - zero_point) * scale.

    Attributes:
        scale: Distance of two neighbouring values, above 0.
        zero_point: Integer of the value 0.
        type: Integer type, such as "int8".
    """

    scale: float
    zero_point: int
    type: str

    @property
    def range(self) -> tuple[float, float]:
        """Return the smallest and the largest value."""
        limits = np.iinfo(self.type)
        low, high = (int(each) - self.zero_point for each in (limits.min, limits.max))
        return low * self.scale, high * self.scale

    def narrow(self, factor: float) -> Quantisation:
        """Return a grid with a range, and so a distance of two values, that much smaller."""
        return replace(self, scale=self.scale * factor)

    def round(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the nearest value of the grid for each of some values, of any shape."""
        scale = np.float32(self.scale)
        limits = np.iinfo(self.type)
        low, high = (int(each) - self.zero_point for each in (limits.min, limits.max))
        rounded: NDArray[np.float32] = np.clip(np.rint(values / scale), low, high) * scale
        return rounded
