"""Sections of the report on the images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.report.document import Code, Section, Table, Text
from edgeemo.utils.text import join_and

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from edgeemo.train.report.content import IllustratedReport, TrainingReport


def describe_data(page: IllustratedReport) -> Section:
    """Return the section on the splits and on what was excluded."""
    data = page.report.data
    return Section(
        "Data",
        [
            Text("From ", Code(data.source), "; ", Code("split.csv"), " lists every image."),
            _tabulate_splits(data.counts),
            *page.select_images("classes"),
            Text(" ".join(_describe_ingest(page.report))),
            *_describe_excluded(data.excluded),
        ],
    )


def show_training_images(page: IllustratedReport) -> Section:
    """Return the section on samples of the training images."""
    return Section("Training images", page.select_images("samples", "augmented"))


def _tabulate_splits(counts: Mapping[str, Mapping[str, int]]) -> Table:
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


def _describe_excluded(reasons: Mapping[str, int]) -> Iterator[Text | Table]:
    if not reasons:
        yield Text("No file was excluded.")
        return
    yield Text("Excluded files; ", Code("rejected.csv"), " names each with the reason:")
    rows = [[reason, f"{count:,}"] for reason, count in reasons.items()]
    yield Table(
        ["reason", "files"],
        [*rows, ["all", f"{sum(reasons.values()):,}"]],
        has_total=len(rows) > 1,
    )


def _describe_ingest(report: TrainingReport) -> Iterator[str]:
    """Yield sentences on how the splits were made."""
    summary = report.data.ingest
    if report.fit and report.fit.validates_on_test:
        yield "There is no validation split of its own: the test split served as validation, too."
    if summary.brought_splits:
        yield "The folder has its own splits."
        if summary.taken_from_train:
            names = join_and(summary.taken_from_train)
            yield f"The images of {names} were taken from its train split."
    if not summary.grouped:
        yield (
            "The split is random, regardless of duplicates: "
            f"{summary.test_seen_in_train:,} of {report.test.n:,} test images have a copy or a "
            "near-duplicate in train."
        )
    if summary.near_duplicates:
        rule = "; every group is in one split" if summary.grouped else ""
        yield (
            f"{summary.near_duplicates:,} images are near-duplicates, in "
            f"{summary.near_duplicate_groups:,} groups{rule}."
        )
    elif summary.grouped:
        yield "There are no near-duplicates."
    for pair, count in summary.leaks.items():
        left, kept = pair.split("/")
        if count:
            yield f"{count:,} images of {left} were excluded: {kept} has the same or nearly so."
