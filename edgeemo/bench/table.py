"""A report as text: facts, tables and notes; the same on the device and on a workstation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.bench.protocol import WARM_STAGES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.bench.conditions import Conditions
    from edgeemo.bench.quantiles import Estimate
    from edgeemo.bench.results import BenchmarkReport, CandidateResult, Measurement, StageTime

HEADER = (
    "file, threads", "engine", "kB", "cold ms", "p50 ms", "p90", "p99", "per s", "MB", "accuracy",
    "verified",
)  # fmt: skip
WARM_TITLE = "Warm prediction, ms: the total, then each stage as p50/p90/p99"
COLD_HEADER = ("file, threads", "cold ms (95 %)", "starts", "start", "imports", "load", "first")
COLD_TITLE = "Cold start, ms: medians of fresh processes, from their start to the first prediction"
FASTEST = " *"
TEXT_COLUMNS = 2
"""Number of `HEADER`'s columns with text, not numbers; the other headers have one."""

_COLD_COLUMNS = ("start", "imports", "load", "first_prediction")


def describe_report(report: BenchmarkReport) -> dict[str, str]:
    """Return where and on which images a report was measured, by name."""
    machine = dict(report.machine)
    shown = {
        "board": machine.get("board", ""),
        "processor": f"{machine.get('processor', '')}, {machine.get('cores', '?')} cores",
        "system": f"{machine.get('system', '')}, Python {machine.get('python', '')}",
        "packages": ", ".join(f"{name} {text}" for name, text in report.versions.items()),
        "clock": _describe_clock(report),
        "temperature": _describe_temperature(report),
        "image": report.image,
    }
    return {name: text for name, text in shown.items() if text}


def build_rows(report: BenchmarkReport) -> list[tuple[str, ...]]:
    """Return one row per candidate, under `HEADER`."""
    fastest = report.fastest_result
    return [
        _build_row(result, mark=FASTEST if result is fastest else "") for result in report.results
    ]


def build_warm_header(report: BenchmarkReport) -> tuple[str, ...]:
    """Return the names of the columns of `build_warm_rows`."""
    return ("file, threads", "p50 ms (95 %)", "runs", *_list_stages(report))


def build_warm_rows(report: BenchmarkReport) -> list[tuple[str, ...]]:
    """Return one row per measured candidate, under `build_warm_header`."""
    return [
        (
            format_candidate(result),
            format_interval(found.total.p50),
            str(found.runs),
            *(_format_quantiles(found.warm_ms.get(stage)) for stage in _list_stages(report)),
        )
        for result, found in _list_measured(report)
    ]


def build_cold_rows(report: BenchmarkReport) -> list[tuple[str, ...]]:
    """Return one row per measured candidate, under `COLD_HEADER`."""
    return [
        (
            format_candidate(result),
            format_interval(found.cold_ms["total"]),
            str(found.rounds),
            *(format_ms(found.cold_ms[stage].value) for stage in _COLD_COLUMNS),
        )
        for result, found in _list_measured(report)
    ]


def build_notes(report: BenchmarkReport) -> list[str]:
    """Return notes on the tables, one line each."""
    lines = [
        f"{each.file}: {each.status}: {each.reason.removeprefix(each.file).lstrip(': ')}"
        for each in report.results
        if not each.measurement
    ]
    measured = _list_measured(report)
    vague = [format_candidate(each) for each, found in measured if not found.total.p99.high]
    if vague:
        lines += [
            f"too few runs for an upper bound of p99 (more --seconds, for 368 or more): "
            f"{', '.join(vague)}"
        ]
    faceless = [
        f"{format_candidate(each)} in {found.runs_without_face} of {found.runs} runs"
        for each, found in measured
        if found.runs_without_face
    ]
    if faceless:
        lines += [f"no face was detected, so nothing was predicted: {', '.join(faceless)}"]
    if report.detects_faces:
        lines += [
            "detect: up to the largest face, which is then resized and invoked; the total predicts "
            "every face in the image"
        ]
    workers = sorted({found.workers for _, found in measured})
    if workers:
        lines += [
            "*: fastest. p50, p90, p99: from an image's bytes to its label, warm. per s: with "
            f"{' or '.join(map(str, workers))} images at a time. MB: peak memory of the process"
        ]
    return list(dict.fromkeys(lines))


def format_ms(ms: float) -> str:
    """Return a time with about three digits: "0.036", "4.12", "31.4", "1280"."""
    return f"{ms:.{3 if ms < 1 else 2 if ms < 10 else 1 if ms < 100 else 0}f}"


def format_interval(estimate: Estimate) -> str:
    """Return a time and its interval: "4.12 (4.08 to 4.31)"."""
    ends = (estimate.low, estimate.high)
    low, high = (format_ms(end) if end is not None else "?" for end in ends)
    return f"{format_ms(estimate.value)} ({low} to {high})"


def format_candidate(result: CandidateResult) -> str:
    """Return a candidate's name for tables: "int8.tflite x2"."""
    return f"{result.file} x{result.threads}"


def format_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, numbers_from: int = 1
) -> list[str]:
    """Return a table as lines of text, columns from `numbers_from` on aligned to the right."""
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


def _build_row(result: CandidateResult, *, mark: str) -> tuple[str, ...]:
    size = f"{result.size_bytes / 1000:,.{1 if result.size_bytes < 100_000 else 0}f}"
    name = f"{format_candidate(result)}{mark}"
    begin = (name, result.engine or "-", size if result.size_bytes else "-")
    accuracy = f"{result.accuracy.value:.1%}" if result.accuracy else "-"
    end = (accuracy, "yes" if result.verified else "no")
    found = result.measurement
    if found is None:
        return (*begin, "-", result.status, "-", "-", "-", "-", *end)
    total, rate = found.total, found.images_per_second.value
    return (
        *begin,
        format_ms(found.cold_ms["total"].value),
        *(format_ms(each.value) for each in (total.p50, total.p90, total.p99)),
        f"{rate:,.{1 if rate < 100 else 0}f}",
        f"{found.peak_mb:.1f}",
        *end,
    )


def _list_measured(report: BenchmarkReport) -> list[tuple[CandidateResult, Measurement]]:
    return [(result, result.measurement) for result in report.results if result.measurement]


def _list_stages(report: BenchmarkReport) -> list[str]:
    """Return the stages that have a column; "detect" only if faces are detected."""
    left_out = ("total",) if report.detects_faces else ("total", "detect")
    return [stage for stage in WARM_STAGES if stage not in left_out]


def _format_quantiles(stage: StageTime | None) -> str:
    if stage is None:
        return "-"
    return "/".join(format_ms(each.value) for each in (stage.p50, stage.p90, stage.p99))


def _describe_clock(report: BenchmarkReport) -> str:
    """Return the highest clock before and after; nothing if the system does not tell."""
    ends = [max(each.mhz, default=None) for each in _list_conditions(report)]
    governors = [", ".join(each.governors) for each in _list_conditions(report)][1:]
    text = _format_span(ends, "MHz")
    return f"{text}, governor {governors[0]}" if text and governors[0] else text


def _describe_temperature(report: BenchmarkReport) -> str:
    ends = [max(each.celsius.values(), default=None) for each in _list_conditions(report)]
    return _format_span(ends, "°C")


def _list_conditions(report: BenchmarkReport) -> list[Conditions]:
    found = report.conditions
    return [found.before, found.after] if found else []


def _format_span(ends: Sequence[float | None], unit: str) -> str:
    texts = [f"{end:.0f} {unit}" for end in ends if end is not None]
    return f"{texts[0]} before, {texts[1]} after" if len(texts) == 2 else ""
