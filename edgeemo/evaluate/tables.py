"""An evaluation as tables, for a terminal and for a page: headings and rows of text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.utils.text import escape_controls, plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from edgeemo.evaluate.report import Evaluation, Quality
    from edgeemo.metrics import Interval

_NAMED = 3
"""Number of images that cannot be read that a warning names."""

TableText = tuple[tuple[str, ...], list[tuple[str, ...]]]
"""Headings of the columns, and rows of cells."""

_FIGURES = ("", "value (95 % interval)", "images")
_SHARES = ("recall (95 % interval)", "precision (95 % interval)")
_SLICES = ("slice", "images", "coverage", "accuracy (95 % interval)", "")
_MISTAKES = ("image", "true", "predicted", "p")


def name_model(found: Evaluation) -> str:
    """Return the name of the model's folder and file."""
    model = Path(found.model)
    return f"{model.parent.name}/{model.name}"


def describe_evaluation(found: Evaluation) -> str:
    """Return the model, the images, and how they were taken, as one line."""
    split = f", {found.split} split" if found.split else ""
    faces = "faces detected" if found.detects_faces else "images taken whole"
    images = plural(found.overall.n, "image")
    return f"{name_model(found)} on {found.data}{split}: {images}, {faces}"


def tabulate_figures(found: Evaluation) -> TableText:
    """Return the figures of all images together."""
    return _FIGURES, list(_list_figures(found))


def tabulate_classes(found: Evaluation) -> TableText:
    """Return recall and precision of each label that has images, over those with a label."""
    covers = found.overall.coverage.value == 1
    rows = [
        (
            label,
            f"{images:,}",
            *(() if covers else (f"{each.support:,}",)),
            _show(each.recall),
            _show(each.precision),
        )
        for label, each in found.per_class.items()
        if (images := sum(found.confusion[label].values()))
    ]
    return ("class", "images", *(() if covers else ("labelled",)), *_SHARES), rows


def tabulate_confusion(found: Evaluation) -> TableText:
    """Return the number of images by label and prediction."""
    return _tabulate_counts("true", found.confusion, _list_columns(found))


def tabulate_unknown(found: Evaluation) -> TableText:
    """Return the number of images of classes that the model does not know, by prediction."""
    return _tabulate_counts("class", found.unknown, _list_columns(found))


def tabulate_slices(found: Evaluation) -> TableText:
    """Return coverage and accuracy of each slice."""
    return _SLICES, [
        (
            each.name,
            f"{each.quality.n:,}",
            f"{each.quality.coverage.value:.3f}",
            _show(each.quality.accuracy),
            "worse" if each.is_worse else "",
        )
        for each in found.slices
    ]


def tabulate_mistakes(found: Evaluation, *, at_most: int) -> TableText:
    """Return the most confident mistakes."""
    return _MISTAKES, [
        (each.path, each.truth, each.prediction, f"{each.confidence:.3f}")
        for each in found.mistakes[:at_most]
    ]


def tabulate_reliability(found: Evaluation) -> TableText:
    """Return the bins of the reliability diagram."""
    return ("confidence", "right", "images"), [
        (f"{each.confidence:.3f}", f"{each.accuracy:.3f}", f"{each.count:,}")
        for each in found.reliability
    ]


def list_warnings(found: Evaluation) -> Iterator[str]:
    """Yield the reasons to distrust the figures, in sentences without their full stop."""
    accuracy = found.overall.accuracy
    supports = {label: each.support for label, each in found.per_class.items() if each.support}
    if len(supports) > 1:
        largest = max(supports, key=supports.__getitem__)
        share = supports[largest] / accuracy.n
        if accuracy.low <= share:
            baseline = f"always predicting {largest} would be right on {share:.3f}"
            yield f"{baseline}; the model is not shown to be better"
    if found.trained_on:
        yield (
            f"the model was trained on {found.trained_on:,} of these images, which flatters it: "
            "--exclude-trained"
        )
    if found.unreadable:
        named = "; ".join(escape_controls(each.reason) for each in found.unreadable[:_NAMED])
        more = "; ..." if len(found.unreadable) > _NAMED else ""
        count = plural(len(found.unreadable), "image", "images")
        yield f"{count} left out, which cannot be read: {named}{more}"


def _list_figures(found: Evaluation) -> Iterator[tuple[str, str, str]]:
    quality = found.overall
    yield "accuracy", _show(quality.accuracy), _count(quality.accuracy)
    yield "balanced accuracy", _show(found.balanced_accuracy), ""
    if quality.coverage.value < 1:
        yield "coverage", _show(quality.coverage), _count(quality.coverage)
        yield from _list_withheld(found)
        yield "right, of all images", _show(quality.right_of_all), _count(quality.right_of_all)
    if found.guesses.n != quality.accuracy.n:
        yield "accuracy with every guess", _show(found.guesses), _count(found.guesses)
    yield "AUC", _show(found.auc), ""
    if found.calibration:
        chance = f"{found.calibration.by_chance:.3f} by chance"
        yield "calibration error", _show(found.calibration.error), chance
    share = found.unknown_withheld
    if share is not None and share.value:
        yield "unknown classes without a label", _show(share), _count(share)


def _list_withheld(found: Evaluation) -> Iterator[tuple[str, str, str]]:
    for name, count in found.withheld.items():
        yield f"– {name}", "", _of(count, found.overall)


def _tabulate_counts(
    name: str, counts: Mapping[str, Mapping[str, int]], columns: Sequence[str]
) -> TableText:
    """Return the rows with images; a cell of none is empty, so that a list leaves it out."""
    return (name, *columns), [
        (row, *(f"{found[column]:,}" if found[column] else "" for column in columns))
        for row, found in counts.items()
        if any(found.values())
    ]


def _of(count: int, quality: Quality) -> str:
    return f"{count:,} of {quality.n:,}"


def _list_columns(found: Evaluation) -> Sequence[str]:
    return (*found.labels, *found.withheld)


def _show(share: Interval | None) -> str:
    return str(share) if share is not None and share.n else "undefined"


def _count(share: Interval) -> str:
    return f"{round(share.value * share.n):,} of {share.n:,}"
