"""Predictions of the reference model on a split, and their quality."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo.errors import TrainingError
from edgeemo.metrics import measure_classification
from edgeemo.model.keras_engine import predict
from edgeemo.utils.progress import Silent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edgeemo.metrics import ClassificationReport
    from edgeemo.model.spec import ModelSpec
    from edgeemo.model.tables import Sample
    from edgeemo.train.data.pipeline import Pixels
    from edgeemo.utils.progress import Progress

MOST_MISTAKES = 24
"""Largest number of wrong predictions in a report."""

_CHUNK = 256
_ROUNDING = 1e-3


@dataclass(frozen=True)
class Evaluation:
    """Predictions on one split.

    Attributes:
        truth: (N,) int64, index of the true class of each image.
        scores: (N, K) float64, probability of each label.
        predicted: (N,) int64, index of the predicted label, as the spec decides.
        report: Quality of the predictions.
    """

    truth: NDArray[np.int64]
    scores: NDArray[np.float64]
    predicted: NDArray[np.int64]
    report: ClassificationReport

    @property
    def right(self) -> NDArray[np.bool_]:
        """Return (N,) whether each prediction is right."""
        return np.asarray(self.predicted == self.truth, np.bool_)

    @property
    def confidence(self) -> NDArray[np.float64]:
        """Return (N,) the probability of the predicted label, 0 to 1."""
        return self.confidence_in(self.scores)

    def confidence_in(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return (N,) the probability of the predicted label in other (N, K) scores."""
        return np.asarray(scores[np.arange(len(self.truth)), self.predicted], np.float64)

    def rank_mistakes(self) -> NDArray[np.int64]:
        """Return the rows of the wrong predictions, the most confident first."""
        wrong = np.flatnonzero(~self.right)
        return wrong[np.argsort(-self.confidence[wrong], kind="stable")]


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """A wrong prediction on the test split.

    Attributes:
        path: Path of the image relative to the data folder.
        truth: True class.
        prediction: Predicted label.
        confidence: Probability of the predicted label, 0 to 1.
    """

    path: str
    truth: str
    prediction: str
    confidence: float


def list_mistakes(
    evaluation: Evaluation, samples: Sequence[Sample], *, labels: Sequence[str]
) -> tuple[Mistake, ...]:
    """Return the most confident wrong predictions, at most `MOST_MISTAKES`.

    Args:
        evaluation: Evaluation of a split.
        samples: N images of the split.
        labels: Class names.
    """
    return tuple(
        Mistake(
            path=samples[row].path,
            truth=labels[evaluation.truth[row]],
            prediction=labels[evaluation.predicted[row]],
            confidence=float(evaluation.confidence[row]),
        )
        for row in evaluation.rank_mistakes()[:MOST_MISTAKES].tolist()
    )


def predict_split(
    model: Any, pixels: Pixels, *, spec: ModelSpec, progress: Progress | None = None
) -> NDArray[np.float32]:
    """Return the raw outputs of the network for a split, in order, in constant memory.

    Args:
        model: Result of `edgeemo.model.keras.load_reference_model`.
        pixels: The split.
        spec: Gives the scaling and the number of outputs.
        progress: Advances by one per image, within the stage of the caller.

    Returns:
        (N, outputs) float32.
    """
    progress = progress or Silent()
    parts = [np.zeros((0, spec.output_count), np.float32)]
    for images in pixels.iter_batches(spec, size=_CHUNK):
        parts.append(predict(model, images))
        progress.advance(len(images))
    return np.concatenate(parts)


def check_probabilities(outputs: NDArray[np.float32], spec: ModelSpec) -> None:
    """Refuse raw outputs that are not probabilities.

    Args:
        outputs: (N, outputs) float32.
        spec: Gives the activation, a sigmoid or a softmax.

    Raises:
        TrainingError: If one is not in [0, 1], or those of a softmax do not add up to 1.
    """
    if not np.isfinite(outputs).all():
        raise TrainingError("the model predicts NaN or infinity: its weights are broken")
    layer = spec.activation
    if outputs.size and (outputs.min() < -_ROUNDING or outputs.max() > 1 + _ROUNDING):
        raise TrainingError(
            f"the model's outputs range from {outputs.min():.3g} to {outputs.max():.3g}: they are "
            f"not probabilities; end the model with a {layer}, as in Dense(…, "
            f"activation='{layer}'), and check --scale"
        )
    if layer == "softmax" and not np.allclose(outputs.sum(axis=1), 1, atol=_ROUNDING):
        raise TrainingError(
            "the model's outputs do not add up to 1: they are not probabilities of one label among "
            "several; end the model with a softmax"
        )


def evaluate(
    outputs: NDArray[np.float32], pixels: Pixels, *, spec: ModelSpec, seed: int
) -> Evaluation:
    """Evaluate the raw outputs for a split.

    Args:
        outputs: Result of `predict_split` for `pixels`.
        pixels: The split, which gives the true classes.
        spec: Spec of the model.
        seed: Seed of the bootstrap of the intervals.
    """
    rows = [spec.scores(row) for row in outputs.tolist()]
    scores = np.array(rows, np.float64).reshape(-1, len(spec.labels))
    predicted = np.array([spec.decide(row) for row in rows], np.int64)
    report = measure_classification(pixels.truth, predicted, scores, labels=spec.labels, seed=seed)
    return Evaluation(pixels.truth, scores, predicted, report)
