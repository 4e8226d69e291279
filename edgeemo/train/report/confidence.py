"""Section of the report on the calibration of the confidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.report.document import Section, Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeemo.train.report.content import IllustratedReport, TrainingReport

_ECE = "Expected calibration error (mean gap between confidence and accuracy in bins of equal mass)"


def describe_calibration(page: IllustratedReport) -> Section:
    """Return the section on confidence against accuracy, and on "not sure"."""
    return Section(
        "Calibration",
        [
            Text(
                "Confidence is the probability of the predicted label. Each point of the diagram "
                "stands for the same number of test images. On the dashed line, 80% of the images "
                "with a confidence of 0.8 are predicted rightly; below it the model is "
                "overconfident."
            ),
            *page.select_images("reliability"),
            Text(" ".join(_describe_temperature(page.report))),
            Text(_describe_abstention(page.report)),
        ],
    )


def _describe_temperature(report: TrainingReport) -> Iterator[str]:
    test, fitted = report.confidence.test, report.confidence.validation
    if fitted and test.temperature != 1:
        yield (
            f"The logits were divided by a temperature of {test.temperature:.3g}, fitted on "
            f"{fitted.images:,} validation images; no label changes by that. {_ECE} on the test "
            f"split: {test.ece_before:.3f} before, after it {test.error.verdict}."
        )
        return
    if test.error.error.n:
        yield f"{_ECE} on the test split: {test.error.verdict}."
    if fitted and fitted.unfitted_reason:
        yield f"No temperature was fitted: {fitted.unfitted_reason}."
    elif not fitted and report.fit:
        yield "No temperature was fitted: there is no validation split of its own."


def _describe_abstention(report: TrainingReport) -> str:
    test, fitted = report.confidence.test, report.confidence.validation
    found = fitted.abstention if fitted else None
    if found is None:
        return "Every image gets a label, whatever its confidence."
    target = f"{found.target_accuracy:.0%}"
    if test.min_confidence:
        selective = test.selective_accuracy
        return (
            f"Below a confidence of {test.min_confidence:.3g} the prediction is “not sure”, so "
            f"that {target} of the labels are right. Of {report.test.n:,} test images "
            f"{selective.count:,} get a label, a share of {selective.coverage}; accuracy on those: "
            f"{selective.accuracy}."
        )
    if found.reachable:
        return f"An accuracy of {target} is reached on all images, so every image gets a label."
    return (
        f"No confidence threshold reaches an accuracy of {target} on the validation split, so "
        f"every image gets a label. The best threshold reached {found.best.accuracy.value:.1%} on "
        f"the {found.best.count:,} images above it."
    )
