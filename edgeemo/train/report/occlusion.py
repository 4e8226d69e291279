"""What a network looks at: the parts of an image whose covering changes its prediction. numpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

CELLS = 8
"""Cells along each side of an image; a cover is two cells wide and high, and moves by one."""

POSITIONS = (CELLS + 1) ** 2
"""Number of positions of the cover, with those that reach over the edge."""

_BORDER = 1 / 8
"""Width of the border on each side, as a share of the image."""
_NOTHING = 0.05
"""Greatest change of the log-odds, in nats, that counts as none."""

BORDER_AREA = 1 - (1 - 2 * _BORDER) ** 2
"""Share of the border in the area of an image."""


@dataclass(frozen=True)
class Importance:
    """What the prediction for one image depends on.

    Attributes:
        values: (H, W) float64, at most 1: how much covering a place lowers the log-odds of the
            prediction, as a share of the greatest decrease; below 0 where it raises them.
        decrease: That greatest decrease, in nats; 0 if covering makes no difference.
    """

    values: NDArray[np.float64]
    decrease: float

    @property
    def positive(self) -> NDArray[np.float64]:
        """Return (H, W) the values, 0 instead of those below."""
        return np.clip(self.values, 0, None)

    @property
    def border_share(self) -> float:
        """Return the share of the importance that lies in the border, 0 to 1."""
        height, width = self.values.shape
        down, across = round(height * _BORDER), round(width * _BORDER)
        inside = self.positive[down : height - down, across : width - across].sum()
        total = float(self.positive.sum())
        return max(0.0, 1 - float(inside) / total) if total else 0.0


def measure_importance(
    image: NDArray[np.float32],
    measure_log_odds: Callable[[NDArray[np.float32]], NDArray[np.float64]],
) -> Importance:
    """Measure how much each place of an image speaks for the prediction.

    A cover of the image's mean colour is moved over the image, and the importance of a pixel is the
    mean decrease of the log-odds under the covers that hide it: M. D. Zeiler and R. Fergus,
    "Visualizing and understanding convolutional networks", ECCV 2014, section 4.2, with log-odds,
    which do not saturate where the network is certain.

    Args:
        image: (H, W, C) float32.
        measure_log_odds: From (N, H, W, C) images to the (N,) log-odds of the predicted label.
    """
    rows, columns = (_place_covers(length) for length in image.shape[:2])
    covered = np.repeat(image[None], POSITIONS + 1, axis=0)
    places = [(down, across) for down in rows for across in columns]
    for number, (down, across) in enumerate(places, 1):
        covered[number, down, across] = image.mean(axis=(0, 1))
    odds = measure_log_odds(covered)
    total, hidden = np.zeros(image.shape[:2]), np.zeros(image.shape[:2])
    for (down, across), decrease in zip(places, odds[0] - odds[1:], strict=True):
        total[down, across] += decrease
        hidden[down, across] += 1
    mean = total / np.maximum(hidden, 1)
    greatest = float(mean.max())
    if greatest < _NOTHING:
        return Importance(np.zeros_like(mean), 0.0)
    return Importance(mean / greatest, greatest)


def average_importance(found: list[Importance]) -> Importance:
    """Return the mean of the importance in one or several images of one size.

    What speaks for the prediction in one image and against it in another cancels out; what always
    speaks for it stays.
    """
    mean = np.mean([each.values for each in found], axis=0)
    greatest = float(mean.max())
    if greatest <= 0:
        return Importance(np.zeros_like(mean), 0.0)
    return Importance(mean / greatest, greatest)


def _place_covers(length: int) -> list[slice]:
    """Return the rows or columns that each position of the cover hides."""
    edges = [round(length * cell / CELLS) for cell in range(CELLS + 1)]
    padded = [0, *edges, length]
    return [slice(padded[number], padded[number + 2]) for number in range(CELLS + 1)]
