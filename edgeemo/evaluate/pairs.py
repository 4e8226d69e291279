"""Outcomes of several models for the same images, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.evaluate.comparison_report import (
    MOST_DISAGREEMENTS,
    Disagreement,
    PairedComparison,
)
from edgeemo.metrics import compare_accuracy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.evaluate.outcome import Outcome


def pair_outcomes(
    first: Sequence[Outcome], other: Sequence[Outcome], *, names: tuple[str, str]
) -> PairedComparison:
    """Compare two models on the images for which both predict a class.

    Args:
        first: Outcomes of the first model.
        other: Outcomes of the other for the same images.
        names: Names of the two models.
    """
    both = [
        (one.is_right, two.is_right)
        for one, two in zip(first, other, strict=True)
        if one.has_label and two.has_label
    ]
    return PairedComparison(
        reference=names[0],
        candidate=names[1],
        n=len(both),
        paired=compare_accuracy([one for one, _ in both], [two for _, two in both]),
    )


def is_disagreement(row: Sequence[Outcome]) -> bool:
    """Return whether only some of the models predict an image rightly."""
    return len({each.is_right for each in row}) > 1


def sample_disagreements(
    rows: Sequence[Sequence[Outcome]], names: Sequence[str]
) -> list[Disagreement]:
    """Return images that only some of the models predict rightly, evenly from all of them.

    Those for which every model predicts a class come first.

    Args:
        rows: Outcomes of every model for each image.
        names: Names of the models.
    """
    found = [row for row in rows if is_disagreement(row)]
    full = [row for row in found if all(each.has_label for each in row)]
    chosen = _sample(full, MOST_DISAGREEMENTS)
    rest = [row for row in found if not all(each.has_label for each in row)]
    chosen += _sample(rest, MOST_DISAGREEMENTS - len(chosen))
    return [_describe(row, names) for row in chosen]


def _sample(rows: list[Sequence[Outcome]], count: int) -> list[Sequence[Outcome]]:
    if not count:
        return []
    step = max(1, -(-len(rows) // count))
    return rows[::step]


def _describe(row: Sequence[Outcome], names: Sequence[str]) -> Disagreement:
    return Disagreement(
        path=row[0].image.path,
        truth=str(row[0].image.label),
        predictions={name: each.predicted for name, each in zip(names, row, strict=True)},
        box=next((each.box for each in row if each.box), None),
    )
