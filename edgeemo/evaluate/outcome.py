"""The outcome of each labelled image: the prediction for it, or why there is none."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeemo.runtime.prediction import NO_FACE
from edgeemo.runtime.stream import predict_images

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from edgeemo.evaluate.labelled import LabelledImage
    from edgeemo.model.spec import ModelSpec
    from edgeemo.runtime.classifier import Classifier
    from edgeemo.runtime.prediction import ImageResult
    from edgeemo.utils.progress import Progress


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a labelled image.

    Attributes:
        image: The image.
        predicted: The predicted label, or what stands in its place: "not sure", a background label,
            or `NO_FACE`; "" where the image cannot be read.
        guess: The most probable class; "" without a prediction.
        score: Probability of `guess`, 0 to 1; 0 without a prediction.
        scores: Probability of each class of the model, in its order; () without a prediction. Of a
            model with a background class, given that the image is of one of the others.
        error: Why the image cannot be read, or "".
        box: Left, top, width and height of the predicted face, in pixels of the upright image; None
            without one.
    """

    image: LabelledImage
    predicted: str
    guess: str = ""
    score: float = 0.0
    scores: tuple[float, ...] = ()
    error: str = ""
    box: tuple[int, int, int, int] | None = None

    @property
    def has_label(self) -> bool:
        """Return whether a class of the model is predicted."""
        return bool(self.guess) and self.predicted == self.guess

    @property
    def is_right(self) -> bool:
        """Return whether the predicted label is that of the image."""
        return self.has_label and self.predicted == self.image.label


def predict_outcomes(
    classifier: Classifier,
    root: Path,
    images: Sequence[LabelledImage],
    *,
    workers: int,
    progress: Progress,
) -> Iterator[Outcome]:
    """Predict labelled images in their order, as ``edgeemo predict`` does.

    Of several faces in an image the largest counts.

    Args:
        classifier: The model; not to be used elsewhere until the last image is done.
        root: The data folder.
        images: The images.
        workers: Number of images predicted at the same time.
        progress: Advances by one per image, within the stage of the caller.

    Raises:
        EngineError: If an engine for another thread cannot be loaded.
    """
    begin = f"{root}/"
    sources = (begin + image.path for image in images)
    results = predict_images(classifier, sources, workers=workers, may_fork=True)
    with closing(results) as stream:
        for image, result in zip(images, stream, strict=True):
            progress.advance()
            yield _make_outcome(image, result, classifier.spec)


def _make_outcome(image: LabelledImage, result: ImageResult, spec: ModelSpec) -> Outcome:
    if result.error is not None:
        return Outcome(image, "", error=result.error)
    if not result.predictions:
        return Outcome(image, NO_FACE)
    found = result.predictions[0]
    scores = tuple(found.scores[label] for label in spec.classes)
    if spec.background is not None:
        total = sum(scores) or 1.0
        scores = tuple(score / total for score in scores)
    box = found.face.box if found.face else None
    return Outcome(image, found.label, found.guess, found.score, scores, box=box)
