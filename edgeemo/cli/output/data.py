"""Output of ``edgeemo data``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.cli.output.console import note, print_facts, print_json, print_table

if TYPE_CHECKING:
    from edgeemo.dataset.check import CheckReport
    from edgeemo.dataset.write import CropResult, WrittenFolder

_SHOWN = 5  # of the suspicious labels


def print_check(checked: CheckReport, *, title: str) -> None:
    """Print a check as tables: numbers, shortcuts, processing, suspicious labels and findings."""
    from edgeemo.dataset.check.summary import (
        PROCESSING_COLUMNS,
        SHORTCUT_COLUMNS,
        describe_figures,
        list_processing,
        list_shortcuts,
    )

    print_facts(describe_figures(checked), title=title)
    rows = [
        [split, *(f"{counts[label]:,}" for label in checked.labels)]
        for split, counts in checked.counts.items()
    ]
    print_table(["usable images", *checked.labels], rows)
    if checked.shortcuts:
        print_table(SHORTCUT_COLUMNS, list_shortcuts(checked), numbers_from=3, prose=["meaning"])
    if processing := list_processing(checked):
        print_table(PROCESSING_COLUMNS, processing, numbers_from=2)
    _print_suspects(checked)
    _print_findings(checked)


def print_written(written: WrittenFolder, *, json: bool) -> None:
    """Print the written and the excluded images, as a table or as JSON."""
    if json:
        print_json(written)
        return
    labels = sorted({label for counts in written.counts.values() for label in counts})
    rows = [
        [split, *(f"{counts.get(label, 0):,}" for label in labels)]
        for split, counts in written.counts.items()
    ]
    print_table(["images", *labels], rows, title=written.folder)
    excluded = [f"{count:,} {reason}" for reason, count in written.excluded.items()]
    note(f"excluded: {', '.join(excluded) or 'nothing'} (see {written.folder / 'rejected.csv'})")


def print_cropped(cropped: CropResult, *, json: bool) -> None:
    """Print the cropped images and the others, as a table or as JSON."""
    if json:
        print_json(cropped)
        return
    from edgeemo.dataset.write import CROP_COUNTS, CROP_CSV

    rows = [
        [split, label, *(f"{counts[group]:,}" for group in CROP_COUNTS)]
        for split, labels in cropped.counts.items()
        for label, counts in labels.items()
    ]
    sums = [
        sum(counts[group] for labels in cropped.counts.values() for counts in labels.values())
        for group in CROP_COUNTS
    ]
    headings = [group.replace("_", " ") for group in CROP_COUNTS]
    print_table(
        ["split", "class", *headings],
        [*rows, ["", "all", *(f"{total:,}" for total in sums)]],
        title=cropped.folder,
        numbers_from=2,
    )
    note(f"faces detected by {cropped.faces.text}; {cropped.folder}/{CROP_CSV} lists each image")


def _print_suspects(checked: CheckReport) -> None:
    suspects = checked.label_check.suspects
    if not suspects:
        return
    rows = [
        [one.path, one.label, one.suggested, f"{one.confidence:.2f}"] for one in suspects[:_SHOWN]
    ]
    print_table(["suspicious label", "label", "predicted", "p"], rows, numbers_from=3)
    if len(suspects) > _SHOWN:
        note(f"{len(suspects) - _SHOWN:,} more suspicious labels: --json or --html lists them")


def _print_findings(checked: CheckReport) -> None:
    if checked.findings:
        rows = [[finding.level, finding.text] for finding in checked.findings]
        print_table(["to do", "finding"], rows, numbers_from=2, prose=["finding"])
    else:
        note("nothing to act on or to look at")
