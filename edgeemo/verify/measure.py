"""Compare one exported file's answers with the original's."""

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
    measure_selective_accuracy,
    wilson_interval,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from edgeemo.model.spec import ModelSpec
    from edgeemo.model.tables import Reference


@dataclass(frozen=True, kw_only=True)
class Flip:
    """An image to which the file gives another label than the original.

    Attributes:
        path: Relative to the folder that the model was trained on, with forward slashes.
        sha256: SHA-256 of the image file.
        label: Its true class.
        reference_label: The original's answer.
        reference_score: The probability that the original gives to its answer.
        candidate_label: The file's answer.
        candidate_score: The probability that the file gives to its answer.
    """

    path: str
    sha256: str
    label: str
    reference_label: str
    reference_score: float
    candidate_label: str
    candidate_score: float


@dataclass(frozen=True, kw_only=True)
class Sureness:
    """What the file and the original answer where both have to be sure.

    Attributes:
        min_confidence: The spec's.
        reference: How many images the original answers, and how well.
        candidate: How many the file answers, and how well.
    """

    min_confidence: float
    reference: SelectiveAccuracy
    candidate: SelectiveAccuracy


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """How one file's answers compare with the original's.

    Attributes:
        n: Number of test images.
        agreement: Share of the images with the same label from both. What "not sure" hides
            counts by the label behind it, here and in all that follows but `sureness`.
        flips: The images with another label, in the order of the test split.
        max_difference: Largest `|Δp|` over all images and labels, 0 to 1.
        mean_difference: Mean `|Δp|` over all images and labels, 0 to 1.
        accuracy: The accuracy of both, and McNemar's test between them.
        reference_ece: The original's expected calibration error (15 bins of equal mass), 0 to 1.
        candidate_ece: The file's.
        sureness: What is answered at all; None where the spec has no least confidence.
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
    sureness: Sureness | None = None

    @property
    def flip_count(self) -> int:
        """Return the number of flips."""
        return len(self.flips)


def measure(
    references: Sequence[Reference], scores: NDArray[np.float64], *, spec: ModelSpec
) -> Comparison:
    """Compare a file's answers with the original's.

    Args:
        references: N answers of the original.
        scores: (N, K) probabilities from the file, in the same order.
        spec: Gives the labels, the threshold and the least confidence that both decide by.
    """
    original = np.asarray([row.scores for row in references], np.float64)
    theirs, ours = decisions(original, spec), decisions(scores, spec)
    truth = np.asarray([spec.labels.index(row.label) for row in references])
    flipped, rows = np.flatnonzero(ours != theirs).tolist(), np.arange(len(references))
    differences = np.abs(scores - original)
    stated = {"reference": original[rows, theirs], "candidate": scores[rows, ours]}
    right = {"reference": theirs == truth, "candidate": ours == truth}
    return Comparison(
        n=len(references),
        agreement=wilson_interval(len(references) - len(flipped), len(references)),
        flips=tuple(_flip(references[i], scores[i], spec) for i in flipped),
        max_difference=float(differences.max()),
        mean_difference=float(differences.mean()),
        accuracy=compare_accuracy(right["reference"], right["candidate"]),
        reference_ece=expected_calibration_error(stated["reference"], right["reference"]),
        candidate_ece=expected_calibration_error(stated["candidate"], right["candidate"]),
        sureness=_sureness(stated, right, spec.min_confidence),
    )


def decisions(scores: NDArray[np.float64], spec: ModelSpec) -> NDArray[np.int64]:
    """The index of the label answered to each of (N, K) probabilities: (N,)."""
    return np.asarray([spec.decide(row) for row in scores.tolist()], np.int64)


def _sureness(
    stated: Mapping[str, NDArray[np.float64]], right: Mapping[str, NDArray[np.bool_]], least: float
) -> Sureness | None:
    if least == 0:
        return None
    reference, candidate = (
        measure_selective_accuracy(stated[which], right[which], min_confidence=least)
        for which in ("reference", "candidate")
    )
    return Sureness(min_confidence=least, reference=reference, candidate=candidate)


def _flip(reference: Reference, scores: NDArray[np.float64], spec: ModelSpec) -> Flip:
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
