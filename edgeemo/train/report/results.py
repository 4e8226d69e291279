"""Sections of the report on the predictions for the test split."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.report.document import Section, Table, Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeemo.metrics import Interval, PrecisionRecallF1
    from edgeemo.train.report.content import IllustratedReport, TrainingReport


def describe_results(page: IllustratedReport) -> Section:
    """Return the section on the quality of the predictions, overall and per class."""
    test = page.report.test
    overall = [
        ["accuracy", str(test.accuracy), f"{test.n:,}"],
        ["precision, mean of the classes", str(test.macro.precision), f"{test.n:,}"],
        ["recall, mean of the classes", str(test.macro.recall), f"{test.n:,}"],
        ["F1, mean of the classes", str(test.macro.f1), f"{test.n:,}"],
        ["AUC (area under the ROC curve)", str(test.auc or "undefined"), f"{test.n:,}"],
    ]
    per_class = [
        [label, *_list_intervals(each), f"{each.support:,}"]
        for label, each in test.per_class.items()
    ]
    return Section(
        "Test results",
        [
            Table(["", "value (95 % interval)", "n"], overall),
            *_compare_pretrained(page.report),
            Table(["class", "precision", "recall", "F1", "images"], per_class),
            Text(
                "Precision: share of the predictions of a class that are right. Recall: share of "
                "the images of a class that are found. F1: their harmonic mean."
            ),
            *_describe_validation(page.report),
        ],
    )


def show_confusion(page: IllustratedReport) -> Section:
    """Return the section on the confusion matrix."""
    test = page.report.test
    labels = list(test.per_class)
    rows = [
        [label, *(f"{count:,}" for count in counts)]
        for label, counts in zip(labels, test.confusion, strict=True)
    ]
    table = Table(["true ↓ predicted →", *labels], rows)
    return Section("Confusion matrix", [table, *page.select_images("confusion")])


def describe_mistakes(page: IllustratedReport) -> Section:
    """Return the section on the most confident wrong predictions."""
    test = page.report.test
    wrong = test.n - sum(row[i] for i, row in enumerate(test.confusion))
    if not wrong:
        text = f"All {test.n:,} test images were predicted rightly."
    else:
        shown = min(wrong, len(page.report.mistakes))
        text = (
            f"{wrong:,} of {test.n:,} test images were predicted wrongly; these are the {shown:,} "
            "with the highest confidence. Look for wrong labels and for images without a face."
        )
    return Section("Most confident mistakes", [Text(text), *page.select_images("mistakes")])


def show_predictions(page: IllustratedReport) -> Section:
    """Return the section on a random sample of test images."""
    text = "Prediction, confidence and true class of randomly chosen test images."
    return Section("Sample predictions", [Text(text), *page.select_images("predictions")])


def _compare_pretrained(report: TrainingReport) -> Iterator[Table | Text]:
    """Yield the accuracy of a shipped model beside this one on the same images."""
    found = report.pretrained
    if found is None or not found.predicted:
        return
    paired = found.paired
    yield Text(
        f"Beside {found.name}, the model that edgeemo includes, on {found.where} "
        f"({'taken whole' if found.whole else 'the largest one in each'}):"
    )
    rows = [
        [name, str(accuracy), f"{accuracy.n:,}"]
        for name, accuracy in (("this model", paired.reference), (found.name, paired.candidate))
    ]
    yield Table(["model", "accuracy (95 % interval)", "n"], rows)
    verdict = "better" if found.is_better else "not shown to be better"
    yield Text(
        f"{found.name} is {verdict} than this model (McNemar's test, p = {paired.mcnemar_p:.2g}). "
        "Its figure is too high if it was trained on some of these images: its model card names "
        "its sources."
    )


def _list_intervals(each: PrecisionRecallF1) -> list[str]:
    return [_describe_interval(value) for value in (each.precision, each.recall, each.f1)]


def _describe_interval(value: Interval) -> str:
    return f"{value}, n = {value.n:,}"


def _describe_validation(report: TrainingReport) -> Iterator[Text]:
    """Yield the accuracy on the validation split, if there is one of its own."""
    if not report.validation.n or (report.fit and report.fit.validates_on_test):
        return
    validation, test = report.validation, report.test
    role = ", which chose the epoch" if report.fit else ""
    flatters = report.fit and test.n and validation.accuracy.value > test.accuracy.value
    bias = ": that flatters it, and the test split is the one to trust" if flatters else ""
    yield Text(
        f"Accuracy on the validation split{role}: {validation.accuracy}, "
        f"n = {validation.n:,}{bias}."
    )
