"""The outcome of ``edgeemo bench``: show, compare and keep the report, pick a default."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from edgeemo.cli.output.console import note, print_facts, print_json, print_table, say, warn
from edgeemo.errors import EXIT_ERROR

if TYPE_CHECKING:
    from pathlib import Path

    from edgeemo.bench import BenchmarkReport, SelectionLimits
    from edgeemo.bench.compare import ReportComparison
    from edgeemo.errors import LimitError
    from edgeemo.model.folder import ModelFolder


def finish(
    report: BenchmarkReport,
    *,
    old: BenchmarkReport | None,
    pick_in: ModelFolder | None,
    limits: SelectionLimits,
    keep: Path | None,
    json: bool,
) -> None:
    """Print a report, whatever fails afterwards; keep it; select the default.

    Args:
        report: The measurements.
        old: An earlier report to compare it with.
        pick_in: The model folder whose default is to be selected.
        limits: Limits of the default.
        keep: The folder for ``bench.json`` and ``bench.png``.
        json: Whether to print one JSON object and nothing else on standard output.

    Raises:
        BenchError: If there is no measurement to select from.
        LimitError: If no candidate is within the limits.
        typer.Exit: With 1, if a candidate failed or crashed or nothing was measured.
    """
    from edgeemo.utils.serialize import to_plain

    content: dict[str, Any] = to_plain(report)
    if not json:
        _print_report(report)
    for warning in report.warnings:
        warn(warning)
    if old:
        content["comparison"] = _compare(old, report, silent=json)
    missed = None
    if pick_in:
        content["picked"], missed = _pick(report, pick_in, limits)
    if json:
        print_json(content)
    if keep and report.measured:
        _keep(report, keep)
    if missed:
        raise missed
    if not report.measured:
        say("error: nothing could be measured")
    if report.has_failures or not report.measured:
        raise typer.Exit(EXIT_ERROR)


def _print_report(report: BenchmarkReport) -> None:
    from edgeemo.bench import table

    print_facts(table.describe_report(report), title=f"measured {report.date}")
    for each in table.build_tables(report):
        print_table(each.columns, each.rows, title=each.title, numbers_from=each.numbers_from)
    for line in table.list_failures(report):
        say(line)
    for line in table.build_notes(report):
        note(line)


def _compare(old: BenchmarkReport, new: BenchmarkReport, *, silent: bool) -> ReportComparison:
    from edgeemo.bench.compare import EXPLANATION, HEADER, compare_reports

    comparison = compare_reports(old, new)
    if not silent:
        title = f"Compared with {old.date}: median ms from bytes to label"
        print_table(HEADER, comparison.rows, title=title)
        if comparison.is_unclear:
            note(EXPLANATION)
    for line in comparison.caveats:
        warn(line)
    return comparison


def _pick(
    report: BenchmarkReport, folder: ModelFolder, limits: SelectionLimits
) -> tuple[dict[str, Any] | None, LimitError | None]:
    """Select and record the default; return the error of missed limits, to be raised at the end."""
    from edgeemo.bench import select_candidate, write_default
    from edgeemo.errors import LimitError

    try:
        selection = select_candidate(report, limits)
    except LimitError as error:
        return None, error
    path = write_default(folder, selection, report=report, limits=limits)
    say(f"picked {selection.result.name}: {selection.reason}")
    note(f"default: {path}")
    return selection.to_dict(), None


def _keep(report: BenchmarkReport, folder: Path) -> None:
    """Write the report and its image, the report last."""
    from edgeemo.bench import plot_report
    from edgeemo.errors import MissingExtraError
    from edgeemo.model.folder import BENCH_JSON, BENCH_PNG, to_json
    from edgeemo.utils.files import replacing, write_file

    image = folder / BENCH_PNG
    try:
        with replacing(image) as partial:
            plot_report(partial, report)
        note(f"image: {image}")
    except MissingExtraError as error:
        note(f"note: no {BENCH_PNG}: {error}")
    note(f"report: {write_file(folder / BENCH_JSON, to_json(report))}")
