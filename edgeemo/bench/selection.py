"""Select the default by its figures: the fastest verified candidate within the limits."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from edgeemo.bench.protocol import OPENVINO
from edgeemo.bench.table import format_interval, format_ms
from edgeemo.errors import BenchError, LimitError
from edgeemo.model.folder import DEFAULT, ModelFolder
from edgeemo.utils.options import Option
from edgeemo.utils.serialize import to_plain
from edgeemo.utils.text import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.bench.results import BenchmarkReport, CandidateResult, Measurement
    from edgeemo.utils.paths import StrPath


_ABOUT = 1.1
"""Files of at most this multiple of the smallest file's size count as equally small."""


_limit = partial(Option, group="Limits of --pick")


@dataclass(frozen=True, kw_only=True)
class SelectionLimits:
    """Limits of a candidate; None for no limit."""

    max_p99_ms: Annotated[
        float | None,
        _limit(
            "Maximum 99th percentile of the time from an image's bytes to the label.",
            metavar="MS",
            above=0,
        ),
    ] = None
    max_size_kb: Annotated[
        float | None,
        _limit("Maximum size of the file, in kB of 1000 bytes.", metavar="KB", above=0),
    ] = None
    max_rss_mb: Annotated[
        float | None,
        _limit("Maximum peak memory of the process, in MB of 2^20 bytes.", metavar="MB", above=0),
    ] = None

    def find_excesses(self, result: CandidateResult, found: Measurement) -> dict[str, float]:
        """Return the limits that a candidate exceeds, in words, and by how much: 0.1 is 10 %."""
        checks = (
            ("p99", found.total.p99.value, self.max_p99_ms, "ms"),
            ("size", result.size_bytes / 1000, self.max_size_kb, "kB"),
            ("peak memory", found.peak_mb, self.max_rss_mb, "MB"),
        )
        return {
            f"{name} {value:.4g} {unit} exceeds {limit:.4g} {unit}": value / (limit or 1e-9) - 1
            for name, value, limit, unit in checks
            if limit is not None and value > limit
        }


@dataclass(frozen=True)
class Selection:
    """The selected candidate.

    Attributes:
        result: Its outcome.
        measurement: Its figures.
        reason: Why it was selected, in one sentence.
    """

    result: CandidateResult
    measurement: Measurement
    reason: str

    def to_dict(self) -> dict[str, object]:
        """Return its file, engine, threads and the reason."""
        return {**to_plain(self.result.key), "reason": self.reason}


def select_candidate(report: BenchmarkReport, limits: SelectionLimits) -> Selection:
    """Select the fastest verified candidate within the limits, by the median warm prediction.

    Adopted files, for which there is no verification, are candidates, too; OpenVINO is not, since
    nothing predicts with it.
    Candidates whose interval overlaps that of the fastest count as equally fast. Among these, the
    fewest threads win, then the smallest file (within 10 %), then the median: a simpler candidate
    leaves more of the device to other programs, and the choice between equals does not change from
    run to run.

    Raises:
        BenchError: If nothing was measured.
        LimitError: If no candidate is verified and within the limits; it names the nearest.
    """
    if not report.measured:
        raise BenchError("nothing could be measured, so nothing can be selected")
    eligible = [
        each
        for each in report.measured
        if (each.verified or each.adopted) and each.engine != OPENVINO
    ]
    if not eligible:
        raise LimitError(
            "no measured file is verified against its reference model, so none is selected: run "
            "'edgeemo verify'"
        )
    fitting = [each for each in eligible if not _find_excesses(each, limits)]
    if not fitting:
        raise LimitError(_describe_nearest(eligible, limits))
    fastest = min(fitting, key=lambda each: each.median_ms)
    selected = _find_simplest([each for each in fitting if _is_as_fast(each, fastest)])
    if selected.measurement is None:
        raise BenchError(f"{selected.name}: was not measured")
    reason = _explain(selected, selected.measurement, fastest, _count(eligible))
    return Selection(selected, selected.measurement, reason)


def write_default(
    folder: StrPath, selection: Selection, *, report: BenchmarkReport, limits: SelectionLimits
) -> Path:
    """Write a selection as the default of a model folder, which predict and bundle use.

    Args:
        folder: The model folder: its path, or a `ModelFolder`.
        selection: The selected candidate.
        report: Its report.
        limits: The limits that it keeps.

    Returns:
        The ``default.json``, which is written whole or not at all.
    """
    found = selection.measurement
    content = {
        **selection.to_dict(),
        "sha256": selection.result.sha256,
        "limits": to_plain(limits),
        "measurement": {
            "date": report.date,
            "image": report.image,
            "p50_ms": to_plain(found.total.p50),
            "p99_ms": to_plain(found.total.p99),
            "cold_ms": to_plain(found.cold_ms["total"]),
            "images_per_second": found.images_per_second.value,
            "peak_mb": found.peak_mb,
            "size_bytes": selection.result.size_bytes,
        },
        "machine": report.machine,
        "versions": report.versions,
    }
    return ModelFolder(Path(folder)).write_json(DEFAULT, content)


def _find_excesses(result: CandidateResult, limits: SelectionLimits) -> dict[str, float]:
    if result.measurement is None:
        return {"not measured": 1.0}
    return limits.find_excesses(result, result.measurement)


def _find_simplest(equals: Sequence[CandidateResult]) -> CandidateResult:
    """Return the candidate with the fewest threads, then about the smallest file, then fastest."""
    threads = min(each.threads for each in equals)
    frugal = [each for each in equals if each.threads == threads]
    size = min(each.size_bytes for each in frugal)
    small = [each for each in frugal if each.size_bytes <= _ABOUT * size]
    return min(small, key=lambda each: each.median_ms)


def _is_as_fast(result: CandidateResult, fastest: CandidateResult) -> bool:
    """Return whether two medians' intervals overlap; a median without an interval is a point."""
    if result.measurement is None or fastest.measurement is None:
        return False
    ours, theirs = result.measurement.total.p50, fastest.measurement.total.p50
    low = ours.value if ours.low is None else ours.low
    high = theirs.value if theirs.high is None else theirs.high
    return low <= high


def _count(eligible: Sequence[CandidateResult]) -> str:
    all_verified = all(each.verified for each in eligible)
    return plural(len(eligible), "verified candidate" if all_verified else "candidate")


def _describe_nearest(eligible: Sequence[CandidateResult], limits: SelectionLimits) -> str:
    """Return which candidate exceeds the limits by the least, and by how much."""
    best = min(eligible, key=lambda each: max(_find_excesses(each, limits).values()))
    excesses = ", ".join(
        f"{words} by {excess:.1%}" for words, excess in _find_excesses(best, limits).items()
    )
    return f"none of {_count(eligible)} is within the limits; nearest is {best.name}: {excesses}"


def _explain(
    selected: CandidateResult, found: Measurement, fastest: CandidateResult, candidates: str
) -> str:
    total = f"{format_interval(found.total.p50)} ms, p99 {format_ms(found.total.p99.value)} ms"
    if selected is fastest:
        return f"the fastest of {candidates} within limits: {total}"
    return (
        f"as fast as {fastest.name} ({format_ms(fastest.median_ms)} ms) within the intervals, and "
        f"simpler: {total}"
    )
