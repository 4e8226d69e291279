"""The outcome of each labelled image: the prediction for it, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeemo.evaluate.labelled import LabelledImage


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a labelled image.

    Attributes:
        image: The image.
        predicted: The predicted label, or what stands in its place: "not sure", a background label,
            or `edgeemo.runtime.prediction.NO_FACE`; "" where the image cannot be read.
        guess: The most probable class; "" without a prediction.
        score: Probability of `guess`, 0 to 1; 0 without a prediction.
        scores: Probability of each class of the model, in its order; () without a prediction. Of a
            model with a background class, given that the image is of one of the others.
        error: Why the image cannot be read, or "".
        box: Left, top, width and height of the predicted face, in pixels of the upright image; None
            without one.
        is_trained_on: Whether the image is known to be one that the model was trained on.
    """

    image: LabelledImage
    predicted: str
    guess: str = ""
    score: float = 0.0
    scores: tuple[float, ...] = ()
    error: str = ""
    box: tuple[int, int, int, int] | None = None
    is_trained_on: bool = False

    @property
    def has_label(self) -> bool:
        """Return whether a class of the model is predicted."""
        return bool(self.guess) and self.predicted == self.guess

    @property
    def is_right(self) -> bool:
        """Return whether the predicted label is that of the image."""
        return self.has_label and self.predicted == self.image.label
