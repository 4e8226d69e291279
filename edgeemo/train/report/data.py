"""The report's sections on the images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeemo.report.document import Code, Section, Table, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from edgeemo.train.report.content import TrainingReport


def data(report: TrainingReport) -> Section:
    """Describe the splits and the excluded images."""
    return Section(
        "The data",
        [
            Text("From ", Code(report.training["data"]), "; ", Code("split.csv"), " lists each."),
            _split(report.counts),
            *report.shown("classes"),
            Text(" ".join(_ingest(report))),
            *_set_aside(report.set_aside),
        ],
    )


def images(report: TrainingReport) -> Section:
    """Show samples of the training images."""
    return Section("The images", report.shown("samples", "augmented"))


def _split(counts: Mapping[str, Mapping[str, int]]) -> Table:
    labels = list(next(iter(counts.values())))
    by_label = [[each[label] for label in labels] for each in counts.values()]
    rows = [
        [name, *(f"{count:,}" for count in row), f"{sum(row):,}"]
        for name, row in (
            *zip(counts, by_label, strict=True),
            ("all", [sum(column) for column in zip(*by_label, strict=True)]),
        )
    ]
    return Table(["split", *labels, "all"], rows, has_total=True)


def _set_aside(reasons: Mapping[str, int]) -> Iterator[Text | Table]:
    if not reasons:
        yield Text("Nothing was set aside.")
        return
    yield Text("Set aside, each named with the reason in ", Code("rejected.csv"), ":")
    rows = [[reason, f"{count:,}"] for reason, count in reasons.items()]
    yield Table(
        ["reason", "files"], [*rows, ["all", f"{sum(reasons.values()):,}"]], has_total=len(rows) > 1
    )


def _ingest(report: TrainingReport) -> Iterator[str]:
    """How the split came about."""
    summary: Mapping[str, Any] = report.training["ingest"]
    if report.training.get("validates_on_test"):
        yield "No images were kept for validation: the test split served as validation, too."
    if summary["brought_splits"]:
        yield "The folder brought its own splits."
        if summary["taken_from_train"]:
            yield f"{' and '.join(summary['taken_from_train']).capitalize()} was taken from train."
    if not summary["grouped"]:
        yield (
            "The split is random, duplicates and all: "
            f"{summary['test_seen_in_train']:,} of {report.test.n:,} test images have a copy or "
            "a near-duplicate in train."
        )
    if summary["near_duplicates"]:
        kept = "; no group straddles a split" if summary["grouped"] else ""
        yield (
            f"{summary['near_duplicates']:,} images are near-duplicates, in "
            f"{summary['near_duplicate_groups']:,} groups{kept}."
        )
    elif summary["grouped"]:
        yield "No two of these images are near-duplicates."
    for pair, count in summary["leaks"].items():
        left, stays = pair.split("/")
        if count:
            yield f"{count:,} images left {left} because {stays} holds the same, or nearly."
