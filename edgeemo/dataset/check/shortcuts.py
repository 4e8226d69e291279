"""What tells the classes apart without looking at a face: a network finds it, too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.metrics import auc_interval

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from edgeemo.dataset.check.look import ImageStatistics

SHORTCUT_AUC = 0.7
"""From here on a single number is called a shortcut."""

_MIN_IMAGES = 2  # images of a class, and of the others

_MEASURES: Mapping[str, tuple[Callable[[ImageStatistics], float], str, str]] = {
    "brightness": (lambda facts: facts.brightness, "brighter", "darker"),
    "contrast": (lambda facts: facts.contrast, "of more contrast", "of less contrast"),
    "colour": (lambda facts: facts.colour, "more colourful", "greyer"),
    "file size": (lambda facts: facts.size_bytes, "kept in larger files", "kept in smaller files"),
    "image size": (lambda facts: facts.width * facts.height, "larger", "smaller"),
    "shape": (lambda facts: facts.width / facts.height, "wider in shape", "taller in shape"),
}


@dataclass(frozen=True, kw_only=True)
class Shortcut:
    """How well one number separates the class that it separates best from all others.

    Attributes:
        measure: "brightness", "contrast", "colour", "file size", "image size" or "shape".
        auc: 0.5 (it tells nothing) to 1: the chance that of two images, one of that class and one
            of another, the number picks the right one.
        low: Lower end of the 95 % interval.
        high: Upper end of it.
        label: The class.
        meaning: In words, such as "happy images are brighter".
        flagged: Whether `auc` is at least `SHORTCUT_AUC` and chance does not explain it.
    """

    measure: str
    auc: float
    low: float
    high: float
    label: str
    meaning: str
    flagged: bool


def find_shortcuts(
    facts: Sequence[ImageStatistics], labels: Sequence[str], classes: Sequence[str]
) -> tuple[Shortcut, ...]:
    """Measure every shortcut, the worst first.

    Args:
        facts: Of each image.
        labels: The class of each image.
        classes: All classes; those of fewer than two images are left out.

    Returns:
        One per number; empty where there are not two classes to separate.
    """
    truth = np.asarray(labels)
    large = [
        name for name in classes if _MIN_IMAGES <= (truth == name).sum() <= len(truth) - _MIN_IMAGES
    ]
    if not large:
        return ()
    found = []
    for measure, (read, *words) in _MEASURES.items():
        values = np.array([read(one) for one in facts], np.float64)
        each = [_shortcut(measure, words, values, truth, name) for name in large]
        found.append(max(each, key=lambda shortcut: shortcut.auc))
    return tuple(sorted(found, key=lambda shortcut: -shortcut.auc))


def _shortcut(
    measure: str,
    words: Sequence[str],
    values: NDArray[np.float64],
    truth: NDArray[np.str_],
    label: str,
) -> Shortcut:
    """One class against all others; an AUC below 0.5 is one above it of the reversed number."""
    interval = auc_interval(truth == label, values)
    reverse = interval.value < 0.5
    low, high = (1 - interval.high, 1 - interval.low) if reverse else (interval.low, interval.high)
    auc = max(interval.value, 1 - interval.value)
    same = values.min() == values.max()
    return Shortcut(
        measure=measure,
        auc=auc,
        low=low,
        high=high,
        label=label,
        meaning="the same in all images" if same else f"{label} images are {words[reverse]}",
        flagged=auc >= SHORTCUT_AUC and low > 0.5,
    )
