"""Shortcuts: numbers that separate the classes, which a network may learn instead of faces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.metrics import auc_interval

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

SHORTCUT_AUC = 0.7
"""Smallest AUC of a single number that is called a shortcut."""

_MIN_IMAGES = 2  # of a class, and of all others

_MEASURES: Mapping[str, tuple[Callable[[NDArray[np.void]], NDArray[np.float64]], str, str]] = {
    "brightness": (lambda images: images["brightness"], "brighter", "darker"),
    "contrast": (lambda images: images["contrast"], "of more contrast", "of less contrast"),
    "colour": (lambda images: images["colour"], "more colourful", "greyer"),
    "file size": (
        lambda images: images["size_bytes"].astype(np.float64),
        "stored in larger files",
        "stored in smaller files",
    ),
    "image size": (
        lambda images: images["width"] * images["height"].astype(np.float64),
        "larger",
        "smaller",
    ),
    "shape": (
        lambda images: images["width"] / images["height"],
        "wider in shape",
        "taller in shape",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Shortcut:
    """The separation of one class from all others by one number, for the best separated class.

    Attributes:
        measure: "brightness", "contrast", "colour", "file size", "image size" or "shape".
        auc: Area under the ROC curve, 0.5 (no separation) to 1 (perfect separation).
        low: Lower end of its 95 % interval.
        high: Upper end of its 95 % interval.
        label: The class.
        meaning: The separation in words, such as "happy images are brighter".
        flagged: Whether `auc` is at least `SHORTCUT_AUC` and its interval above 0.5.
    """

    measure: str
    auc: float
    low: float
    high: float
    label: str
    meaning: str
    flagged: bool


def find_shortcuts(
    numbers: NDArray[np.void], labels: Sequence[str], classes: Sequence[str]
) -> tuple[Shortcut, ...]:
    """Measure every shortcut, the strongest first.

    Args:
        numbers: Statistics of each image, as `CollectedFiles.numbers` names them.
        labels: Class of each image.
        classes: All classes; those of fewer than two images are ignored.

    Returns:
        One per number; empty without two classes.
    """
    truth = np.asarray(labels)
    large = [
        name for name in classes if _MIN_IMAGES <= (truth == name).sum() <= len(truth) - _MIN_IMAGES
    ]
    if not large:
        return ()
    found = []
    for measure, (read, *words) in _MEASURES.items():
        values = read(numbers)
        each = [_measure_shortcut(measure, words, values, truth, name) for name in large]
        found.append(max(each, key=lambda shortcut: shortcut.auc))
    return tuple(sorted(found, key=lambda shortcut: -shortcut.auc))


def _measure_shortcut(
    measure: str,
    words: Sequence[str],
    values: NDArray[np.float64],
    truth: NDArray[np.str_],
    label: str,
) -> Shortcut:
    """Measure one class against all others; an AUC below 0.5 is above it for the negated number."""
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
