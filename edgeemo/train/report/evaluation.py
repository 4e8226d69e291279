"""The original's answers on a split, and how good they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo.errors import TrainingError
from edgeemo.metrics import measure_classification
from edgeemo.model.keras_engine import predict
from edgeemo.utils.progress import Silent

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgeemo.metrics import ClassificationReport
    from edgeemo.model.spec import ModelSpec
    from edgeemo.train.data.pipeline import Pixels
    from edgeemo.utils.progress import Progress

_CHUNK = 256
_ROUNDING = 1e-3


@dataclass(frozen=True)
class Evaluation:
    """A model's answers on one split.

    Attributes:
        truth: (N,) int64, index of each image's class.
        scores: (N, K) float64, probability of each label.
        predicted: (N,) int64, index of the label answered, as the spec decides.
        report: How good they are.
    """

    truth: NDArray[np.int64]
    scores: NDArray[np.float64]
    predicted: NDArray[np.int64]
    report: ClassificationReport

    @property
    def right(self) -> NDArray[np.bool_]:
        """(N,) whether each answer is right."""
        return np.asarray(self.predicted == self.truth, np.bool_)

    @property
    def confidence(self) -> NDArray[np.float64]:
        """(N,) probability of the label answered, 0 to 1."""
        return self.stated(self.scores)

    def stated(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N,) what other (N, K) probabilities of the same images give the label answered."""
        return np.asarray(scores[np.arange(len(self.truth)), self.predicted], np.float64)

    def worst(self) -> NDArray[np.int64]:
        """The rows answered wrongly, the most confident first."""
        wrong = np.flatnonzero(~self.right)
        return wrong[np.argsort(-self.confidence[wrong], kind="stable")]


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """An image of the test split that was answered wrongly.

    Attributes:
        path: Of its file, relative to the data folder.
        truth: Its class.
        answer: What was answered.
        confidence: The probability of that answer, 0 to 1.
    """

    path: str
    truth: str
    answer: str
    confidence: float


def raw_answers(
    model: Any, pixels: Pixels, *, spec: ModelSpec, progress: Progress | None = None
) -> NDArray[np.float32]:
    """The network's raw outputs for every image of a split, in order, in constant memory.

    Args:
        model: What `edgeemo.model.keras.load_reference_model` gave.
        pixels: The split.
        spec: Gives the scaling and the number of outputs.
        progress: Advances by one per image, within the caller's stage.

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
        spec: Says whether a sigmoid or a softmax gave them.

    Raises:
        TrainingError: If one is not in [0, 1], or a softmax's do not add up to 1.
    """
    if not np.isfinite(outputs).all():
        raise TrainingError("the model answers with NaN or infinity: its weights are broken")
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
    """Judge raw outputs.

    Args:
        outputs: What `raw_answers` gave for `pixels`.
        pixels: The split, for its truth.
        spec: How to read the outputs.
        seed: Of the intervals' bootstrap.
    """
    rows = [spec.scores(row) for row in outputs.tolist()]
    scores = np.array(rows, np.float64).reshape(-1, len(spec.labels))
    predicted = np.array([spec.decide(row) for row in rows], np.int64)
    report = measure_classification(pixels.truth, predicted, scores, labels=spec.labels, seed=seed)
    return Evaluation(pixels.truth, scores, predicted, report)
