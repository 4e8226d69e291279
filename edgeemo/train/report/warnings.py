"""What a reader of the report must be told in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from edgeemo.metrics import ClassificationReport
    from edgeemo.train.loop.callbacks import FitResult

_NOTHING, _LITTLE = 30, 100
"""Below so many test images nothing, or only little, can be said about a proportion."""
_UNBALANCED = 2.0
"""Largest class over smallest in the training split, from where on it is worth a warning."""
_CURES = {
    "trained": "Train longer, with another --seed, or with more images.",
    "imported": "Check --scale and --offset, and the order of --labels.",
}


def warnings(
    counts: Mapping[str, Mapping[str, int]],
    report: ClassificationReport,
    *,
    fitted: FitResult | None = None,
    training: Mapping[str, Any] | None = None,
) -> list[str]:
    """Sentences about what the figures do not show, or should make one wary; may be none.

    Args:
        counts: Split to label to number of images.
        report: On the test split.
        fitted: How the training went; None for an imported model.
        training: What ``training.json`` holds, as far as it is known.
    """
    training = training or {}
    found = [
        *_about_split(training.get("ingest", {}), report.n),
        *_about_test(report),
        *_about_classes(report, imported=fitted is None),
        *_about_balance(counts.get("train", {})),
    ]
    if fitted is None:
        found.append(
            "Which of these images the model saw while it was trained is not known here. If it "
            "saw test images, the figures flatter it."
        )
    else:
        validation = sum(counts.get("validation", {}).values())
        on_test = bool(training.get("validates_on_test"))
        found += _about_training(fitted, report.n if on_test else validation)
        found += _about_validation(validation, on_test=on_test)
    found += _about_confidence(training.get("confidence") or {})
    return found


def _about_split(ingest: Mapping[str, Any], n: int) -> Iterator[str]:
    seen = ingest.get("test_seen_in_train", 0)
    if seen:
        yield (
            f"{seen:,} of {n:,} test images have a copy or a near-duplicate among the training "
            "images, since the split is random: the accuracy flatters the model. With --split "
            "grouped none would have."
        )


def _about_confidence(found: Mapping[str, Any]) -> Iterator[str]:
    wanted = found.get("abstention")
    if wanted and not wanted["reachable"]:
        yield (
            f"An accuracy of {wanted['target_accuracy']:.0%} could not be shown with any least "
            f"confidence on {found['images']:,} validation images: the model answers every "
            "image."
        )


def _about_test(report: ClassificationReport) -> Iterator[str]:
    n, accuracy = report.n, report.accuracy
    if n == 0:
        yield "The test split is empty: nothing is known about how good this model is."
        return
    if n < _NOTHING:
        yield (
            f"The test split has only {n} images: its accuracy says nothing yet "
            f"(anything from {accuracy.low:.0%} to {accuracy.high:.0%} fits what was seen). "
            "Add images."
        )
    elif n < _LITTLE:
        points = 100 * max(accuracy.high - accuracy.value, accuracy.value - accuracy.low)
        yield (
            f"The test split has only {n} images: its accuracy is known to within "
            f"{points:.0f} percentage points. Differences smaller than that mean nothing."
        )
    yield from _about_chance(report)


def _about_chance(report: ClassificationReport) -> Iterator[str]:
    supports = {label: each.support for label, each in report.per_class.items()}
    commonest = max(supports, key=lambda label: supports[label])
    chance = supports[commonest] / report.n
    if report.accuracy.low <= chance:
        shown = "is not shown to be better" if report.accuracy.high >= chance else "is worse"
        yield (
            f"The model {shown} than always answering {commonest!r}, which would be right for "
            f"{chance:.0%} of the test images; its own accuracy lies between "
            f"{report.accuracy.low:.0%} and {report.accuracy.high:.0%}."
        )


def _about_classes(report: ClassificationReport, *, imported: bool) -> Iterator[str]:
    if report.n == 0:
        return
    for label, each in report.per_class.items():
        if each.support == 0:
            yield f"No test image is of class {label!r}: nothing is known about that class."
    if report.n >= _NOTHING:
        yield from _about_small_classes(report)
    answered = [sum(column) for column in zip(*report.confusion, strict=True)]
    never = [
        repr(label)
        for (label, each), count in zip(report.per_class.items(), answered, strict=True)
        if each.support and not count
    ]
    if never:
        yield (
            f"The model never answered {', '.join(never)} on the test split: it may have "
            f"collapsed. {_CURES['imported' if imported else 'trained']}"
        )


def _about_small_classes(report: ClassificationReport) -> Iterator[str]:
    small = {label: each for label, each in report.per_class.items() if 0 < each.support < _NOTHING}
    if len(small) > 1:
        counts = ", ".join(f"{label!r} ({each.support})" for label, each in small.items())
        widest = max(each.recall.high - each.recall.low for each in small.values())
        yield (
            f"Of some classes there are few test images: {counts}. Their recall is known only "
            f"to within {50 * widest:.0f} percentage points, or a little better."
        )
        return
    for label, each in small.items():
        yield (
            f"Only {each.support} test images are of class {label!r}: its recall lies "
            f"anywhere between {each.recall.low:.0%} and {each.recall.high:.0%}."
        )


def _about_balance(train: Mapping[str, int]) -> Iterator[str]:
    if not train or min(train.values()) == 0:
        return
    most, least = (choose(train, key=lambda label: train[label]) for choose in (max, min))
    if train[most] >= _UNBALANCED * train[least]:
        yield (
            f"The classes are unbalanced: {train[most]:,} training images of {most!r}, "
            f"{train[least]:,} of {least!r}. A model leans towards the larger; "
            "read the recall of each class, not only the accuracy."
        )


def _about_training(fitted: FitResult, validation: int) -> Iterator[str]:
    ended = len(fitted.history)
    if fitted.interrupted:
        yield f"The training was interrupted after {ended} complete epochs."
    elif fitted.best_epoch == ended and ended > 1 and validation:
        yield (
            f"The validation loss was still falling in the last epoch ({ended}): "
            "more --epochs may give a better model."
        )


def _about_validation(validation: int, *, on_test: bool) -> Iterator[str]:
    if on_test:
        yield (
            "The test split served as validation, too: it chose the epoch, so its accuracy "
            "flatters the model."
        )
    elif validation == 0:
        yield "The validation split is empty: the epoch was chosen by the training loss."
    elif validation < _NOTHING:
        yield (
            f"The validation split has only {validation} images: which epoch was best "
            "is largely chance."
        )
