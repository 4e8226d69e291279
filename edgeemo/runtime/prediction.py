"""A prediction, and the result of an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeemo.imaging.faces import Face

STDIN = "-"
"""The source of an image from standard input."""

NO_FACE = "no face"
"""The text of a result without a face, where faces are detected."""


@dataclass(frozen=True)
class Prediction:
    """The prediction for one image, or for one face in it.

    Attributes:
        label: The predicted class; or the model's background, such as "neither", where that is the
            most probable label; or `edgeemo.model.spec.NOT_SURE`, which is no label of the model,
            where `score` is below its confidence threshold.
        score: Probability of `guess`, 0 to 1.
        scores: Probability of every label, in the model's order.
        guess: The most probable class, without a confidence threshold or a background.
        face: The face's bounding box, in pixels of the whole upright image; None where the image
            was taken whole.
    """

    label: str
    score: float
    scores: dict[str, float]
    guess: str
    face: Face | None = None

    @property
    def is_sure(self) -> bool:
        """Return whether a class is predicted."""
        return self.label == self.guess


@dataclass(frozen=True, kw_only=True)
class ImageResult:
    """The result of one image: its predictions, or why there are none.

    Attributes:
        source: The image's path, or `STDIN`.
        predictions: One for an image taken whole, else one per face, the largest first; none
            where the image cannot be read.
        error: Why it cannot be read, or None.
        ms: Milliseconds from the file to the labels.
        time_s: Of a frame of a video, seconds from the beginning of the video; else None.
    """

    source: str
    predictions: tuple[Prediction, ...] = ()
    error: str | None = None
    ms: float
    time_s: float | None = None
