"""Warnings of the report: what its figures do not show."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from edgeemo.metrics import ClassificationReport
    from edgeemo.train.report.inputs import FitSummary
    from edgeemo.train.temperature import FittedTemperature

_NOTHING, _LITTLE = 30, 100
"""Numbers of test images below which a proportion says nothing, or only little."""
_UNBALANCED = 2.0
"""Ratio of the largest class of the training split to the smallest from which a warning is due."""
_TRAINED_REMEDY = "Train longer, with another --seed, or with more images."
_IMPORTED_REMEDY = "Check --scale and --offset, and the order of --labels."


def collect_warnings(
    counts: Mapping[str, Mapping[str, int]],
    test: ClassificationReport,
    *,
    fit: FitSummary | None = None,
    calibration: FittedTemperature | None = None,
    seen_in_train: int = 0,
    processing: Sequence[str] = (),
) -> tuple[str, ...]:
    """Return sentences on what the figures do not show; there may be none.

    Args:
        counts: Number of images by split and label.
        test: Quality of the predictions on the test split.
        fit: The training; None for an imported model.
        calibration: Calibration on the validation split, if there was one.
        seen_in_train: Number of test images that have a copy or a near-duplicate in train.
        processing: Findings on the processing of the images, in sentences.
    """
    found = [
        *_check_split(seen_in_train, test.n),
        *processing,
        *_check_test(test),
        *_check_classes(test, remedy=_TRAINED_REMEDY if fit else _IMPORTED_REMEDY),
        *_check_balance(counts.get("train", {})),
    ]
    if fit is None:
        found.append(
            "Which of these images the model was trained on is unknown. If test images are among "
            "them, the figures are too high."
        )
    else:
        validation = sum(counts.get("validation", {}).values())
        found += _check_fit(fit, test.n if fit.validates_on_test else validation)
        found += _check_validation(validation, on_test=fit.validates_on_test)
    return (*found, *_check_calibration(calibration))


def _check_split(seen: int, n: int) -> Iterator[str]:
    if seen:
        yield (
            f"{seen:,} of {n:,} test images have a copy or a near-duplicate among the training "
            "images, since the split is random: the accuracy is too high. --split grouped avoids "
            "this."
        )


def _check_calibration(calibration: FittedTemperature | None) -> Iterator[str]:
    abstention = calibration.abstention if calibration else None
    if calibration and abstention and not abstention.reachable:
        yield (
            f"No confidence threshold reaches an accuracy of {abstention.target_accuracy:.0%} on "
            f"{calibration.images:,} validation images: every image gets a label."
        )


def _check_test(test: ClassificationReport) -> Iterator[str]:
    n, accuracy = test.n, test.accuracy
    if n == 0:
        yield "The test split is empty: the quality of the model is unknown."
        return
    if n < _NOTHING:
        yield (
            f"The test split has only {n} images: its accuracy says nothing yet "
            f"(anything from {accuracy.low:.0%} to {accuracy.high:.0%} is possible). "
            "Add images."
        )
    elif n < _LITTLE:
        points = 100 * max(accuracy.high - accuracy.value, accuracy.value - accuracy.low)
        yield (
            f"The test split has only {n} images: its accuracy is known to within "
            f"{points:.0f} percentage points. Smaller differences mean nothing."
        )
    yield from _check_chance(test)


def _check_chance(test: ClassificationReport) -> Iterator[str]:
    supports = {label: each.support for label, each in test.per_class.items()}
    commonest = max(supports, key=lambda label: supports[label])
    chance = supports[commonest] / test.n
    if test.accuracy.low <= chance:
        verdict = "is not shown to be better" if test.accuracy.high >= chance else "is worse"
        yield (
            f"The model {verdict} than always predicting {commonest!r}, which would be right for "
            f"{chance:.0%} of the test images; its own accuracy is between "
            f"{test.accuracy.low:.0%} and {test.accuracy.high:.0%}."
        )


def _check_classes(test: ClassificationReport, *, remedy: str) -> Iterator[str]:
    if test.n == 0:
        return
    for label, each in test.per_class.items():
        if each.support == 0:
            yield f"No test image is of class {label!r}: nothing is known about that class."
    if test.n >= _NOTHING:
        yield from _check_small_classes(test)
    predicted = [sum(column) for column in zip(*test.confusion, strict=True)]
    never = [
        repr(label)
        for (label, each), count in zip(test.per_class.items(), predicted, strict=True)
        if each.support and not count
    ]
    if never:
        yield (
            f"The model never predicted {', '.join(never)} on the test split: it may have "
            f"collapsed. {remedy}"
        )


def _check_small_classes(test: ClassificationReport) -> Iterator[str]:
    small = {label: each for label, each in test.per_class.items() if 0 < each.support < _NOTHING}
    if len(small) > 1:
        counts = ", ".join(f"{label!r} ({each.support})" for label, each in small.items())
        widest = max(each.recall.high - each.recall.low for each in small.values())
        yield (
            f"Some classes have few test images: {counts}. Their recall is known only to within "
            f"{50 * widest:.0f} percentage points, or a little better."
        )
        return
    for label, each in small.items():
        yield (
            f"Only {each.support} test images are of class {label!r}: its recall is anywhere "
            f"between {each.recall.low:.0%} and {each.recall.high:.0%}."
        )


def _check_balance(train: Mapping[str, int]) -> Iterator[str]:
    if not train or min(train.values()) == 0:
        return
    most, least = (choose(train, key=lambda label: train[label]) for choose in (max, min))
    if train[most] >= _UNBALANCED * train[least]:
        yield (
            f"The classes are unbalanced: {train[most]:,} training images of {most!r}, "
            f"{train[least]:,} of {least!r}. A model prefers the larger class; read the recall of "
            "each class, not only the accuracy."
        )


def _check_fit(fit: FitSummary, validation: int) -> Iterator[str]:
    if fit.interrupted:
        yield f"The training was interrupted after {fit.epochs_run} complete epochs."
    elif fit.best_epoch == fit.epochs_run and fit.epochs_run > 1 and validation:
        yield (
            f"The validation loss was still falling in the last epoch ({fit.epochs_run}): "
            "more --epochs may give a better model."
        )


def _check_validation(validation: int, *, on_test: bool) -> Iterator[str]:
    if on_test:
        yield (
            "The test split served as validation, too: it chose the epoch, so its accuracy is too "
            "high."
        )
    elif validation == 0:
        yield "The validation split is empty: the epoch was chosen by the training loss."
    elif validation < _NOTHING:
        yield (
            f"The validation split has only {validation} images: which epoch was best is largely "
            "chance."
        )
