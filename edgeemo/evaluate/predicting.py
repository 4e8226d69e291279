"""Predict labelled images, on this machine or a cluster."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass, replace
from sys import intern
from typing import TYPE_CHECKING

from edgeemo.bulk.run import work_through

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.bulk.parts import Parts
    from edgeemo.bulk.run import Place
    from edgeemo.evaluate.evaluate_work import EvaluateWork
    from edgeemo.evaluate.labelled import LabelledImage
    from edgeemo.evaluate.outcome import Outcome
    from edgeemo.utils.progress import Progress


@dataclass(frozen=True, kw_only=True)
class Predicted:
    """The outcomes of images.

    Attributes:
        outcomes: One per image, in their order.
        per_second: Images predicted per second; those of an earlier run do not count.
    """

    outcomes: list[Outcome]
    per_second: float


def predict_labelled(
    work: EvaluateWork,
    images: Sequence[LabelledImage],
    *,
    place: Place,
    parts: Parts[Outcome] | None = None,
    stage: str = "Predicting",
    progress: Progress,
) -> Predicted:
    """Predict labelled images.

    Args:
        work: The prediction of one.
        images: The images.
        place: Where they are predicted.
        parts: Keeps the outcomes, and has those of an earlier run; None keeps nothing.
        stage: Name of the stage of the progress.
        progress: Receives the progress.

    Raises:
        EdgeEmoError: As `edgeemo.bulk.run.work_through`.
    """
    outcomes: list[Outcome] = []
    new, start = 0, time.perf_counter()
    blocks = work_through(work, images, place=place, parts=parts, stage=stage, progress=progress)
    with closing(blocks):
        for block in blocks:
            own = images[len(outcomes) : len(outcomes) + len(block.results)]
            outcomes += map(_share, block.results, own)
            new += 0 if block.is_old else len(block.results)
    return Predicted(outcomes=outcomes, per_second=new / (time.perf_counter() - start))


def _share(outcome: Outcome, image: LabelledImage) -> Outcome:
    """Return an outcome that has no copies of its image and labels; a kept one lacks a part of it.

    A million of them take half as much memory.
    """
    predicted, guess = intern(outcome.predicted), intern(outcome.guess)
    return replace(outcome, image=image, predicted=predicted, guess=guess)
