"""The report's sections on what the model answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeemo.report.document import Section, Table, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from edgeemo.metrics import ClassificationReport, Interval, PrecisionRecallF1
    from edgeemo.train.report.content import TrainingReport


def answers(report: TrainingReport) -> Section:
    """How good the answers on the test split are: overall, per class, and what is mistaken."""
    test = report.test
    overall = [
        ["accuracy", str(test.accuracy), f"{test.n:,}"],
        ["precision, mean of the classes", str(test.macro.precision), f"{test.n:,}"],
        ["recall, mean of the classes", str(test.macro.recall), f"{test.n:,}"],
        ["F1, mean of the classes", str(test.macro.f1), f"{test.n:,}"],
        ["AUC (area under the ROC curve)", str(test.auc or "undefined"), f"{test.n:,}"],
    ]
    per_class = [
        [label, *_with_n(each), f"{each.support:,}"] for label, each in test.per_class.items()
    ]
    return Section(
        "Its answers on the test split",
        [
            Table(["", "value (95 % interval)", "n"], overall),
            Table(["class", "precision", "recall", "F1", "images"], per_class),
            Text(
                "Precision: the share of the answers for a class that are right. Recall: the share "
                "of a class's images that are found. F1: their harmonic mean."
            ),
            _confusion(test),
            *report.shown("confusion"),
            *_validation(report),
        ],
    )


def mistakes(report: TrainingReport) -> Section:
    """List the most confident wrong predictions."""
    n, right = report.test.n, sum(row[i] for i, row in enumerate(report.test.confusion))
    if right == n:
        words = f"None of the {n:,} test images was answered wrongly."
    else:
        words = (
            f"{n - right:,} of {n:,} test images were answered wrongly; these are the "
            f"{min(n - right, len(report.mistakes)):,} that the model was most certain of. Look "
            "for wrong labels and for images that show no face."
        )
    return Section("Its worst mistakes", [Text(words), *report.shown("mistakes")])


def batch(report: TrainingReport) -> Section:
    """Show a random batch of test images."""
    words = "The answer, its confidence, and what is true of test images taken at random."
    return Section("A look at the test split", [Text(words), *report.shown("predictions")])


def confidence(report: TrainingReport) -> Section:
    """Whether its confidence means what it says, and when it is not sure."""
    return Section(
        "Its confidence",
        [
            Text(
                "Confidence is the probability of the label answered. Each point of the diagram "
                "stands for equally many test images: on the dashed line, 80% of those answered "
                "with a confidence of 0.8 are right; below it the model is too sure of itself."
            ),
            *report.shown("reliability"),
            Text(" ".join(_calibration(report))),
            Text(_abstention(report)),
        ],
    )


def _with_n(each: PrecisionRecallF1) -> list[str]:
    return [_interval(value) for value in (each.precision, each.recall, each.f1)]


def _interval(value: Interval) -> str:
    return f"{value}, n = {value.n:,}"


def _confusion(test: ClassificationReport) -> Table:
    labels = list(test.per_class)
    rows = [
        [label, *(f"{count:,}" for count in counts)]
        for label, counts in zip(labels, test.confusion, strict=True)
    ]
    return Table(["true ↓ answered →", *labels], rows)


def _validation(report: TrainingReport) -> Iterator[Text]:
    """How good the answers on the validation split are, where there is one of its own."""
    if report.training.get("validates_on_test") or not report.validation.n:
        return
    chosen = "" if report.imported else ", which chose the epoch and so flatters a little"
    yield Text(
        f"On the validation split{chosen}: accuracy {report.validation.accuracy}, "
        f"n = {report.validation.n:,}."
    )


def _calibration(report: TrainingReport) -> Iterator[str]:
    found = report.certainty
    scale = "(mean gap between confidence and accuracy in 15 bins of equally many images)"
    fitted: Mapping[str, Any] = report.training.get("confidence") or {}
    if found.temperature != 1:
        yield (
            f"Its logits were divided by a temperature of {found.temperature:.3g}, fitted on "
            f"{fitted['images']:,} validation images; no answer changes by that. Expected "
            f"calibration error {scale} on the test split: {found.ece_before:.3f} before, "
            f"{found.ece_after:.3f} after."
        )
        return
    yield f"Expected calibration error {scale} on the test split: {found.ece_after:.3f}."
    if fitted.get("why_not"):
        yield f"No temperature was fitted: {fitted['why_not']}."
    elif not fitted and not report.imported:
        yield "No temperature was fitted: there are no validation images of their own."


def _abstention(report: TrainingReport) -> str:
    found = report.certainty
    wanted: Mapping[str, Any] = (report.training.get("confidence") or {}).get("abstention") or {}
    if found.min_confidence:
        return (
            f"It answers “not sure” below a confidence of {found.min_confidence:.3g}, so that "
            f"{wanted['target_accuracy']:.0%} of its answers are right. Of {report.test.n:,} test "
            f"images it then answers {found.answered.count:,}, a share of "
            f"{found.answered.coverage}; accuracy on those: {found.answered.accuracy}."
        )
    if not wanted:
        return "It answers every image, however unsure it is."
    if wanted["reachable"]:
        return (
            f"An accuracy of {wanted['target_accuracy']:.0%} is reached without leaving an image "
            "out, so it answers every one."
        )
    best = wanted["best"]
    return (
        f"An accuracy of {wanted['target_accuracy']:.0%} could not be shown on the validation "
        "split with any least confidence, so it answers every image. At best it was right for "
        f"{best['accuracy']['value']:.1%} of the {best['count']:,} that it was most certain of."
    )
