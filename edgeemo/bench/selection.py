"""Choose the default by what was measured: the fastest that is verified and keeps to the limits."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from edgeemo.bench.results import whole_ms
from edgeemo.bench.table import interval_text, ms_text
from edgeemo.errors import BenchError, LimitError
from edgeemo.model.folder import DEFAULT
from edgeemo.utils.text import plural

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edgeemo.bench.results import BenchmarkReport, CandidateResult, Measurement
    from edgeemo.model.folder import ModelFolder


_ABOUT = 1.1
"""Files of up to that many times the smallest's size count as equally small."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a candidate must keep to; None for no limit.

    Attributes:
        max_p99_ms: 99 in a hundred answers take no longer, from an image's bytes to the label.
        max_size_kb: Size of the file, in kB of 1000 bytes.
        max_rss_mb: Peak memory of the process, in MB of 2 to the power of 20 bytes.
    """

    max_p99_ms: float | None = None
    max_size_kb: float | None = None
    max_rss_mb: float | None = None

    def excesses(self, result: CandidateResult, found: Measurement) -> dict[str, float]:
        """The limits that a candidate misses, in words, and the share by which: 0.1 is 10 %."""
        checks = (
            ("p99", found.whole.p99.value, self.max_p99_ms, "ms"),
            ("size", result.size_bytes / 1000, self.max_size_kb, "kB"),
            ("peak memory", found.peak_mb, self.max_rss_mb, "MB"),
        )
        return {
            f"{name} {value:.4g} {unit} where {limit:.4g} is allowed": value / (limit or 1e-9) - 1
            for name, value, limit, unit in checks
            if limit is not None and value > limit
        }


@dataclass(frozen=True)
class Choice:
    """The candidate that was chosen.

    Attributes:
        result: What was measured of it.
        measured: The same, known to be there.
        why: In one sentence.
    """

    result: CandidateResult
    measured: Measurement
    why: str

    def to_dict(self) -> dict[str, Any]:
        """File, engine, threads and why."""
        return {
            "file": self.result.file,
            "engine": self.result.engine,
            "threads": self.result.threads,
            "why": self.why,
        }


def choose(report: BenchmarkReport, limits: Limits) -> Choice:
    """The fastest candidate by the median from bytes to label that is verified and within limits.

    Candidates whose interval meets the fastest's count as equally fast. Of these are kept those
    with the fewest threads, of these the smallest files (within 10 %), of these the fastest is
    taken: what is simpler leaves more of the device to others, and a coin toss between equals would
    come out differently on every run.

    Raises:
        BenchError: If nothing was measured.
        LimitError: If no candidate is verified and within the limits; it names the nearest.
    """
    if not report.measured:
        raise BenchError("nothing could be measured, so nothing can be chosen")
    verified = [result for result in report.measured if result.verified]
    if not verified:
        raise LimitError(
            "no measured file is verified against its original, so none is chosen: run "
            "'edgeemo verify'"
        )
    fitting = [each for each in verified if not _excesses(each, limits)]
    if not fitting:
        raise LimitError(_nearest(verified, limits))
    fastest = min(fitting, key=whole_ms)
    chosen = _simplest([each for each in fitting if _as_fast(each, fastest)])
    if chosen.measured is None:
        raise BenchError(f"{chosen.name}: was not measured")
    why = _why(chosen, chosen.measured, fastest, len(verified))
    return Choice(chosen, chosen.measured, why)


def write_default(
    folder: ModelFolder, choice: Choice, *, report: BenchmarkReport, limits: Limits
) -> Path:
    """Record a choice in a model folder as what predict and bundle use, whole or not at all.

    Returns:
        The ``default.json`` that was written.
    """
    found = choice.measured
    content = {
        **choice.to_dict(),
        "sha256": choice.result.sha256,
        "limits": asdict(limits),
        "measured": {
            "date": report.date,
            "image": report.image,
            "p50_ms": asdict(found.whole.p50),
            "p99_ms": asdict(found.whole.p99),
            "cold_ms": asdict(found.cold["cold"]),
            "per_second": found.per_second.value,
            "peak_mb": found.peak_mb,
            "size_bytes": choice.result.size_bytes,
        },
        "machine": report.machine,
        "versions": report.versions,
    }
    return folder.write_json(DEFAULT, content)


def _excesses(result: CandidateResult, limits: Limits) -> dict[str, float]:
    return limits.excesses(result, result.measured) if result.measured else {"not measured": 1.0}


def _simplest(equals: Sequence[CandidateResult]) -> CandidateResult:
    """Fewest threads, then about the smallest file, then the fastest."""
    threads = min(each.threads for each in equals)
    frugal = [each for each in equals if each.threads == threads]
    size = min(each.size_bytes for each in frugal)
    return min((each for each in frugal if each.size_bytes <= _ABOUT * size), key=whole_ms)


def _as_fast(result: CandidateResult, fastest: CandidateResult) -> bool:
    """Whether two medians' intervals meet; one without an interval stands for itself alone."""
    if result.measured is None or fastest.measured is None:
        return False
    ours, theirs = result.measured.whole.p50, fastest.measured.whole.p50
    low = ours.value if ours.low is None else ours.low
    high = theirs.value if theirs.high is None else theirs.high
    return low <= high


def _nearest(verified: Sequence[CandidateResult], limits: Limits) -> str:
    """Who misses the limits by least, and by what."""
    best = min(verified, key=lambda each: max(_excesses(each, limits).values()))
    missed = ", ".join(
        f"{words} ({excess:.1%} too much)" for words, excess in _excesses(best, limits).items()
    )
    return (
        f"none of {plural(len(verified), 'verified candidate')} keeps to the limits; nearest is "
        f"{best.name}: {missed}"
    )


def _why(
    chosen: CandidateResult, found: Measurement, fastest: CandidateResult, candidates: int
) -> str:
    whole = f"{interval_text(found.whole.p50)} ms, p99 {ms_text(found.whole.p99.value)} ms"
    if chosen is fastest:
        return f"the fastest of {plural(candidates, 'verified candidate')} within limits: {whole}"
    return (
        f"as fast as {fastest.name} ({ms_text(whole_ms(fastest))} ms) within the intervals, and "
        f"simpler: {whole}"
    )
