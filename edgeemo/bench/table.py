"""A report as text: facts, tables and notes; the same on the device and on a workstation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeemo.bench.protocol import OPENVINO, WARM_STAGES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.bench.conditions import Conditions
    from edgeemo.bench.quantiles import Estimate
    from edgeemo.bench.results import BenchmarkReport, CandidateResult, Measurement, StageTime

_SOURCES = {"processor": "the processor", "regulators": "the board's regulators"}
_COLD_COLUMNS = ("start", "imports", "load", "first_prediction")


@dataclass(frozen=True, kw_only=True)
class ReportTable:
    """A table of a report.

    Attributes:
        title: The line above it.
        columns: The headings.
        rows: The cells, one row after the other.
        numbers_from: Number of columns of text, which are left of those of numbers.
    """

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    numbers_from: int = 1


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


def build_tables(report: BenchmarkReport) -> list[ReportTable]:
    """Return the tables of a report: files, predictions, energy, stages, cold start."""
    tables = [
        ReportTable(
            title="Files",
            columns=("file", "engine", "kB", "accuracy", "verified"),
            rows=list(dict.fromkeys(map(_build_file_row, report.results))),
            numbers_from=2,
        ),
        ReportTable(
            title="Warm prediction, from an image's bytes to its label",
            columns=("file, threads", "p50 ms (95 %)", "p90", "p99", "per s", "MB", "runs"),
            rows=[
                _build_warm_row(each, is_fastest=each is report.fastest_result)
                for each in report.results
            ],
        ),
    ]
    if report.measured:
        tables += [*_build_energy(report), _build_stages(report), _build_cold(report)]
    return tables


def _build_energy(report: BenchmarkReport) -> list[ReportTable]:
    """Return the table of energies; none where the board does not tell any."""
    rows = [
        (format_candidate(result), f"{found.joules_per_image.value * 1000:.2f}", f"{watts:.2f}")
        for result, found in _list_measured(report)
        if found.joules_per_image and (watts := found.watts) is not None
    ]
    if not rows:
        return []
    sources = {found.energy_source for _, found in _list_measured(report)}
    source = " and ".join(sorted(_SOURCES[each] for each in sources if each))
    return [
        ReportTable(
            title=f"Energy at the rate of that table, of {source}",
            columns=("file, threads", "mJ an image", "watts"),
            rows=rows,
        )
    ]


def _build_stages(report: BenchmarkReport) -> ReportTable:
    stages = _list_stages(report)
    return ReportTable(
        title="Stages of a warm prediction: ms as p50/p99",
        columns=("file, threads", *stages),
        rows=[
            (
                format_candidate(result),
                *(_format_quantiles(found.warm_ms.get(stage)) for stage in stages),
            )
            for result, found in _list_measured(report)
        ],
    )


def _build_cold(report: BenchmarkReport) -> ReportTable:
    return ReportTable(
        title="Cold start of a fresh process, up to its first prediction: median ms",
        columns=("file, threads", "total (95 %)", "starts", "start", "imports", "load", "first"),
        rows=[
            (
                format_candidate(result),
                format_interval(found.cold_ms["total"]),
                str(found.rounds),
                *(format_ms(found.cold_ms[stage].value) for stage in _COLD_COLUMNS),
            )
            for result, found in _list_measured(report)
        ],
    )


def list_failures(report: BenchmarkReport) -> list[str]:
    """Return why files were not measured, one line each."""
    lines = [
        f"{each.file}: {each.status}: {each.reason.removeprefix(each.file).lstrip(': ')}"
        for each in report.results
        if not each.measurement
    ]
    return list(dict.fromkeys(lines))


def build_notes(report: BenchmarkReport) -> list[str]:
    """Return notes on the tables, one line each."""
    lines: list[str] = []
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
    if any(each.engine == OPENVINO for each, _ in measured):
        lines += ["OpenVINO is measured for comparison; predict runs .onnx files in onnxruntime"]
    workers = sorted({found.workers for _, found in measured})
    if workers:
        lines += [
            f"*: fastest. per s: with {' or '.join(map(str, workers))} images at a time. MB: peak "
            "memory of the process"
        ]
    return lines


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


def _build_file_row(result: CandidateResult) -> tuple[str, ...]:
    size = f"{result.size_bytes / 1000:,.{1 if result.size_bytes < 100_000 else 0}f}"
    return (
        result.file,
        result.engine or "-",
        size if result.size_bytes else "-",
        f"{result.accuracy.value:.1%}" if result.accuracy else "-",
        "yes" if result.verified else "adopted" if result.adopted else "no",
    )


def _build_warm_row(result: CandidateResult, *, is_fastest: bool) -> tuple[str, ...]:
    name = format_candidate(result) + (" *" if is_fastest else "")
    found = result.measurement
    if found is None:
        return (name, result.status, "-", "-", "-", "-", "-")
    total, rate = found.total, found.images_per_second.value
    return (
        name,
        format_interval(total.p50),
        format_ms(total.p90.value),
        format_ms(total.p99.value),
        f"{rate:,.{1 if rate < 100 else 0}f}",
        f"{found.peak_mb:.1f}",
        str(found.runs),
    )


def _list_measured(report: BenchmarkReport) -> list[tuple[CandidateResult, Measurement]]:
    return [(result, result.measurement) for result in report.results if result.measurement]


def _list_stages(report: BenchmarkReport) -> list[str]:
    """Return the stages that have a column; "detect" only if faces are detected."""
    left_out = ("total",) if report.detects_faces else ("total", "detect")
    return [stage for stage in WARM_STAGES if stage not in left_out]


def _format_quantiles(stage: StageTime | None) -> str:
    return f"{format_ms(stage.p50.value)}/{format_ms(stage.p99.value)}" if stage else "-"


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
