"""Compare the predictions of an exported file with those of the reference model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from edgeemo.metrics import (
    Interval,
    PairedAccuracy,
    SelectiveAccuracy,
    compare_accuracy,
    expected_calibration_error,
    measure_calibration_error,
    measure_selective_accuracy,
    wilson_interval,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from edgeemo.model.spec import ModelSpec
    from edgeemo.model.tables import ReferencePrediction


@dataclass(frozen=True, kw_only=True)
class Flip:
    """An image for which the file predicts another label than the reference model.

    Attributes:
        path: Path relative to the data folder, with forward slashes.
        sha256: SHA-256 of the image file, hexadecimal.
        label: True class.
        reference_label: Label predicted by the reference model.
        reference_score: Probability that it gives to that label.
        candidate_label: Label predicted by the file.
        candidate_score: Probability that it gives to that label.
    """

    path: str
    sha256: str
    label: str
    reference_label: str
    reference_score: float
    candidate_label: str
    candidate_score: float


@dataclass(frozen=True, kw_only=True)
class PairedSelectiveAccuracy:
    """Coverage and accuracy above the confidence threshold.

    Attributes:
        min_confidence: The confidence threshold of the spec.
        reference: Those of the reference model.
        candidate: Those of the file.
    """

    min_confidence: float
    reference: SelectiveAccuracy
    candidate: SelectiveAccuracy


@dataclass(frozen=True, kw_only=True)
class PredictionComparison:
    """Predictions of one file against those of the reference model.

    A prediction of "not sure" counts as the label behind it, except in `selective_accuracy`.

    Attributes:
        n: Number of test images.
        agreement: Share of the images for which both predict the same label.
        flips: Images with another label, in the order of the test split.
        max_difference: Largest `|Δp|` over all images and labels, 0 to 1.
        mean_difference: Mean `|Δp|` over all images and labels, 0 to 1.
        accuracy: Accuracy of both, and McNemar's test between them. With a background class: of the
            most probable other class, on the images of these.
        reference_ece: Expected calibration error of the reference model, 0 to 1; see `choose_bins`.
        candidate_ece: That of the file.
        ece_by_chance: Error that perfectly calibrated predictions of the reference model's
            confidences would show on as many images, simulated.
        selective_accuracy: Coverage and accuracy above the confidence threshold; None if the spec
            has none.
    """

    DERIVED: ClassVar[tuple[str, ...]] = ("flip_count",)

    n: int
    agreement: Interval
    flips: tuple[Flip, ...]
    max_difference: float
    mean_difference: float
    accuracy: PairedAccuracy
    reference_ece: float
    candidate_ece: float
    ece_by_chance: float
    selective_accuracy: PairedSelectiveAccuracy | None = None

    @property
    def flip_count(self) -> int:
        """Return the number of flips."""
        return len(self.flips)


def compare_predictions(
    references: Sequence[ReferencePrediction], scores: NDArray[np.float64], *, spec: ModelSpec
) -> PredictionComparison:
    """Compare the predictions of a file with those of the reference model.

    Args:
        references: N predictions of the reference model.
        scores: (N, K) probabilities from the file, in the same order.
        spec: Gives the labels, the threshold and the confidence threshold of both.
    """
    expected = np.asarray([row.scores for row in references], np.float64)
    theirs, ours = decide_labels(expected, spec), decide_labels(scores, spec)
    truth = np.asarray([spec.labels.index(row.label) for row in references])
    flipped, rows = np.flatnonzero(ours != theirs).tolist(), np.arange(len(references))
    differences = np.abs(scores - expected)
    confidence = {"reference": expected[rows, theirs], "candidate": scores[rows, ours]}
    right = {"reference": theirs == truth, "candidate": ours == truth}
    measured = measure_calibration_error(confidence["reference"], right["reference"])
    return PredictionComparison(
        n=len(references),
        agreement=wilson_interval(len(references) - len(flipped), len(references)),
        flips=tuple(_make_flip(references[i], scores[i], spec) for i in flipped),
        max_difference=float(differences.max()),
        mean_difference=float(differences.mean()),
        accuracy=_compare_classes(expected, scores, truth, spec),
        reference_ece=measured.error.value,
        ece_by_chance=measured.by_chance,
        candidate_ece=expected_calibration_error(confidence["candidate"], right["candidate"]),
        selective_accuracy=_compare_selective(confidence, right, spec.min_confidence),
    )


def _compare_classes(
    expected: NDArray[np.float64],
    scores: NDArray[np.float64],
    truth: NDArray[np.int64],
    spec: ModelSpec,
) -> PairedAccuracy:
    rows = [row for row, label in enumerate(truth) if spec.labels[label] != spec.background]
    reference, candidate = (
        np.asarray([spec.guess(each) for each in given[rows].tolist()]) == truth[rows]
        for given in (expected, scores)
    )
    return compare_accuracy(reference, candidate)


def decide_labels(scores: NDArray[np.float64], spec: ModelSpec) -> NDArray[np.int64]:
    """Return the index of the label that the spec decides for each of (N, K) scores: (N,)."""
    return np.asarray([spec.decide(row) for row in scores.tolist()], np.int64)


def _compare_selective(
    confidence: Mapping[str, NDArray[np.float64]],
    right: Mapping[str, NDArray[np.bool_]],
    threshold: float,
) -> PairedSelectiveAccuracy | None:
    if threshold == 0:
        return None
    reference, candidate = (
        measure_selective_accuracy(confidence[which], right[which], min_confidence=threshold)
        for which in ("reference", "candidate")
    )
    return PairedSelectiveAccuracy(
        min_confidence=threshold, reference=reference, candidate=candidate
    )


def _make_flip(
    reference: ReferencePrediction, scores: NDArray[np.float64], spec: ModelSpec
) -> Flip:
    theirs, ours = spec.decide(reference.scores), spec.decide(scores.tolist())
    return Flip(
        path=reference.path,
        sha256=reference.sha256,
        label=reference.label,
        reference_label=spec.labels[theirs],
        reference_score=reference.scores[theirs],
        candidate_label=spec.labels[ours],
        candidate_score=float(scores[ours]),
    )
