"""A report as text: facts, two tables, and notes; the same on the device and on a workstation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.bench.results import STAGES, STARTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.bench.quantiles import Estimate
    from edgeemo.bench.results import BenchmarkReport, CandidateResult, Measurement, StageTime

HEADER = (
    "file, threads", "engine", "kB", "cold ms", "p50 ms", "p90", "p99", "per s", "MB", "accuracy",
    "verified",
)  # fmt: skip
WARM_TITLE = "Warm, ms: the whole, then each stage as p50/p90/p99"
COLD_HEADER = ("file, threads", "cold ms (95 %)", "starts", "start", "imports", "load", "first")
COLD_TITLE = "Cold, ms: medians of fresh processes, from their start to the first answer"
FASTEST = " *"
TEXT_COLUMNS = 2
"""How many of `HEADER`'s columns hold text, not numbers; the other headers have one."""


def facts(report: BenchmarkReport) -> dict[str, str]:
    """Where and on what it was measured, by name."""
    machine = dict(report.machine)
    shown = {
        "board": machine.get("board", ""),
        "processor": f"{machine.get('processor', '')}, {machine.get('cores', '?')} cores",
        "system": f"{machine.get('system', '')}, Python {machine.get('python', '')}",
        "packages": ", ".join(f"{name} {text}" for name, text in report.versions.items()),
        "clock": _span(report, "mhz", "MHz"),
        "temperature": _span(report, "celsius", "°C"),
        "image": report.image,
    }
    return {name: text for name, text in shown.items() if text}


def rows(report: BenchmarkReport) -> list[tuple[str, ...]]:
    """One row per candidate, under `HEADER`."""
    fastest = report.fastest
    return [_row(result, mark=FASTEST if result is fastest else "") for result in report.results]


def warm_header(report: BenchmarkReport) -> tuple[str, ...]:
    """Names of the columns of `warm_rows`."""
    return ("file, threads", "p50 ms (95 %)", "runs", *_stages(report))


def warm_rows(report: BenchmarkReport) -> list[tuple[str, ...]]:
    """One row per measured candidate, under `warm_header`."""
    return [
        (
            short_name(result),
            interval_text(found.whole.p50),
            str(found.runs),
            *(_quantiles(found.warm.get(name)) for name in _stages(report)),
        )
        for result, found in _measured(report)
    ]


def cold_rows(report: BenchmarkReport) -> list[tuple[str, ...]]:
    """One row per measured candidate, under `COLD_HEADER`."""
    return [
        (
            short_name(result),
            interval_text(found.cold["cold"]),
            str(found.rounds),
            *(ms_text(found.cold[name].value) for name in STARTS if name != "cold"),
        )
        for result, found in _measured(report)
    ]


def notes(report: BenchmarkReport) -> list[str]:
    """What a reader has to know besides, one line each."""
    lines = [
        f"{each.file}: {each.status}: {each.reason.removeprefix(each.file).lstrip(': ')}"
        for each in report.results
        if not each.measured
    ]
    vague = [short_name(each) for each, found in _measured(report) if not found.whole.p99.high]
    if vague:
        lines += [
            f"too few runs for an upper bound of p99 (more --seconds, for 368 or more): "
            f"{', '.join(vague)}"
        ]
    faceless = [
        f"{short_name(each)} in {found.faceless} of {found.runs} runs"
        for each, found in _measured(report)
        if found.faceless
    ]
    if faceless:
        lines += [f"no face was found, so there was nothing to answer: {', '.join(faceless)}"]
    if report.finds_faces:
        lines += [
            "find: to the largest face, which is then resized and invoked; the whole answers every "
            "face in the image"
        ]
    workers = sorted({found.workers for _, found in _measured(report)})
    if workers:
        lines += [
            "*: fastest. p50, p90, p99: from an image's bytes to its label, warm. per s: with "
            f"{' or '.join(map(str, workers))} images at a time. MB: peak memory of the process"
        ]
    return list(dict.fromkeys(lines))


def ms_text(ms: float) -> str:
    """Three digits or so: "0.036", "4.12", "31.4", "1280"."""
    return f"{ms:.{3 if ms < 1 else 2 if ms < 10 else 1 if ms < 100 else 0}f}"


def interval_text(estimate: Estimate) -> str:
    """A time and its interval: "4.12 (4.08 to 4.31)"."""
    low, high = (ms_text(end) if end is not None else "?" for end in (estimate.low, estimate.high))
    return f"{ms_text(estimate.value)} ({low} to {high})"


def short_name(result: CandidateResult) -> str:
    """The candidate in a table: "int8.tflite x2"."""
    return f"{result.file} x{result.threads}"


def plain_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, numbers_from: int = 1
) -> list[str]:
    """A table as lines of text, columns from `numbers_from` on aligned to the right."""
    cells = [columns, *rows]
    widths = [max(len(row[index]) for row in cells) for index in range(len(columns))]
    lines = [
        "  ".join(
            f"{cell:>{width}}" if index >= numbers_from else f"{cell:<{width}}"
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
    return [lines[0], "-" * len(lines[0]), *lines[1:]]


def _row(result: CandidateResult, *, mark: str) -> tuple[str, ...]:
    size = f"{result.size_bytes / 1000:,.{1 if result.size_bytes < 100_000 else 0}f}"
    begin = (
        f"{short_name(result)}{mark}", result.engine or "-", size if result.size_bytes else "-"
    )  # fmt: skip
    accuracy = f"{result.accuracy.value:.1%}" if result.accuracy else "-"
    end = (accuracy, "yes" if result.verified else "no")
    found = result.measured
    if found is None:
        return (*begin, "-", result.status, "-", "-", "-", "-", *end)
    whole, rate = found.whole, found.per_second.value
    return (
        *begin,
        ms_text(found.cold["cold"].value),
        *(ms_text(each.value) for each in (whole.p50, whole.p90, whole.p99)),
        f"{rate:,.{1 if rate < 100 else 0}f}",
        f"{found.peak_mb:.1f}",
        *end,
    )


def _measured(report: BenchmarkReport) -> list[tuple[CandidateResult, Measurement]]:
    return [(result, result.measured) for result in report.results if result.measured]


def _stages(report: BenchmarkReport) -> list[str]:
    """The stages that have a column: those of the answer, and "find" where faces are found."""
    left_out = ("whole",) if report.finds_faces else ("whole", "find")
    return [name for name in STAGES if name not in left_out]


def _quantiles(stage: StageTime | None) -> str:
    if stage is None:
        return "-"
    return "/".join(ms_text(each.value) for each in (stage.p50, stage.p90, stage.p99))


def _span(report: BenchmarkReport, name: str, unit: str) -> str:
    """The highest of a reading before and after; nothing where the system does not tell."""
    ends = []
    for when in ("before", "after"):
        values = report.conditions.get(when, {}).get(name) or ()
        values = values.values() if isinstance(values, dict) else values
        ends += [f"{max(values):.0f}"] if values else []
    governors = ", ".join(report.conditions.get("after", {}).get("governors", ()))
    kind = f", governor {governors}" if name == "mhz" and governors else ""
    return f"{ends[0]} {unit} before, {ends[1]} {unit} after{kind}" if len(ends) == 2 else ""
