"""How far several answers for the test images agree, and the accuracy where they do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.metrics import Interval, wilson_interval
from edgeemo.report.document import Section, Table, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.model.tables import Sample
    from edgeemo.train.data.soft_labels import SoftLabelCounts, SoftLabels
    from edgeemo.train.report.content import IllustratedReport
    from edgeemo.train.report.evaluation import Evaluation

MIN_SHARE = 0.8
"""Share of the answers for an image's label from which they count as agreement."""


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Agreement of the answers for test images, answers for other classes included.

    Attributes:
        images: Number of test images that have answers.
        majority_share: Mean share of the most frequent answer, 0 to 1.
        entropy_bits: Mean entropy of the answers.
        min_share: Share of the answers for the label from which they agree on it.
        agreed: Accuracy on the images on whose label they agree.
        disputed: Accuracy on the other images that have answers.
    """

    images: int
    majority_share: float
    entropy_bits: float
    min_share: float
    agreed: Interval
    disputed: Interval


@dataclass(frozen=True, kw_only=True)
class SoftLabelReport:
    """Soft labels of a training, and how far they agree on the test split.

    Attributes:
        text: Their part in the training, as a sentence without its full stop.
        sha256: SHA-256 of their file, hexadecimal.
        counts: Numbers of training images and of rows.
        agreement: Agreement on the test split; None if no image of it has a row.
    """

    text: str
    sha256: str
    counts: SoftLabelCounts
    agreement: Agreement | None


def report_soft_labels(
    soft: SoftLabels, samples: Sequence[Sample], evaluation: Evaluation
) -> SoftLabelReport:
    """Report the soft labels of a training.

    Args:
        soft: The soft labels.
        samples: The images of the test split.
        evaluation: Evaluation of the test split.
    """
    return SoftLabelReport(
        text=soft.text,
        sha256=soft.table.sha256,
        counts=soft.counts,
        agreement=_measure_agreement(soft, samples, evaluation),
    )


def _measure_agreement(
    soft: SoftLabels, samples: Sequence[Sample], evaluation: Evaluation
) -> Agreement | None:
    answers = soft.find_answers(samples)
    if not answers:
        return None
    numbers = np.fromiter(answers, np.int64)
    shares = np.array([answers[number] / answers[number].sum() for number in answers])
    logs = np.log2(shares, out=np.zeros_like(shares), where=shares > 0)
    agreed = shares[np.arange(len(numbers)), evaluation.truth[numbers]] >= MIN_SHARE
    right = evaluation.right[numbers]
    return Agreement(
        images=len(numbers),
        majority_share=float(shares.max(axis=1).mean()),
        entropy_bits=float(-(shares * logs).sum(axis=1).mean()),
        min_share=MIN_SHARE,
        agreed=wilson_interval(int(right[agreed].sum()), int(agreed.sum())),
        disputed=wilson_interval(int(right[~agreed].sum()), int((~agreed).sum())),
    )


def describe_agreement(page: IllustratedReport) -> list[Section]:
    """Return the section on the agreement of the answers; none without soft labels."""
    soft = page.report.soft_labels
    if soft is None:
        return []
    found = soft.agreement
    if found is None:
        return [Section("Soft labels", [Text(f"{soft.text}."), Text("No test image has a row.")])]
    rows = [
        [name, str(accuracy), f"{accuracy.n:,}"]
        for name, accuracy in (
            ("images on whose label the answers agree", found.agreed),
            ("the other images with answers", found.disputed),
        )
    ]
    return [
        Section(
            "Soft labels",
            [
                Text(f"{soft.text}."),
                Text(
                    f"{found.images:,} test images have answers. On average "
                    f"{found.majority_share:.0%} of the answers for an image are the same, and "
                    f"their entropy is {found.entropy_bits:.2f} bits. The answers agree on the "
                    f"label of an image if at least {found.min_share:.0%} of them are for it; "
                    "those that are not trained on count, too."
                ),
                Table(["accuracy on", "value (95 % interval)", "n"], rows),
            ],
        )
    ]
