"""Images whose label the model contradicts with confidence: the label may be wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgeemo.dataset.check.labels import find_contradictions
from edgeemo.train.report.evaluation import Mistake

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.model.tables import Sample
    from edgeemo.train.report.evaluation import Evaluation

MIN_CONFIDENCE = 0.9
"""Smallest confidence of a contradiction that counts."""

_MIN_IMAGES = 10
"""Smallest number of images of each class."""


def find_doubtful_labels(
    evaluation: Evaluation, samples: Sequence[Sample], *, labels: Sequence[str]
) -> tuple[Mistake, ...]:
    """Return the images whose labels may be wrong, by confident learning.

    Args:
        evaluation: Evaluation of a split that the network was not fitted to.
        samples: Its N images.
        labels: Class names.

    Returns:
        The images, the strongest contradiction first; none where a class has few images or the
        model is not shown to be better than always predicting one class.
    """
    support = np.bincount(evaluation.truth, minlength=len(labels))
    report = evaluation.report
    if support.min() < _MIN_IMAGES or report.accuracy.low <= support.max() / report.n:
        return ()
    return tuple(
        Mistake(
            path=samples[row].path,
            truth=labels[evaluation.truth[row]],
            prediction=labels[other],
            confidence=float(evaluation.scores[row, other]),
        )
        for row, other in find_contradictions(evaluation.scores, evaluation.truth)
        if evaluation.scores[row, other] >= MIN_CONFIDENCE
    )
