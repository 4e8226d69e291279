"""Compare two reports: which candidates became faster or slower, beyond chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from edgeemo.bench.quantiles import Estimate
from edgeemo.bench.table import format_ms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgeemo.bench.results import BenchmarkReport, CandidateKey, CandidateResult

Verdict = Literal["faster", "slower", "unclear", "only before", "only now"]

HEADER = ("file, threads", "before", "now", "now / before (95 %)", "verdict")
EXPLANATION = "unclear: the intervals allow both faster and slower"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One candidate in two reports.

    Attributes:
        file: Name of its file.
        engine: The engine's package, as pip calls it.
        threads: Threads per prediction.
        before: Median ms of a warm prediction in the old report, or None.
        now: The same in the new report, or None.
        ratio: now / before, if both are known: below 1 is faster. Its interval contains every ratio
            of a value in the one interval to a value in the other.
        verdict: "faster" or "slower" if that interval does not contain 1, "unclear" if it does.
        same_file: Whether the bytes are the same.
    """

    file: str
    engine: str
    threads: int
    before: Estimate | None
    now: Estimate | None
    ratio: Estimate | None
    verdict: Verdict
    same_file: bool


@dataclass(frozen=True)
class ReportComparison:
    """Two reports, compared.

    Attributes:
        caveats: What else than the files differs, one line each.
        candidates: The candidates that were measured in one report at least.
    """

    caveats: list[str]
    candidates: list[Difference]

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """Return one row per candidate, under `HEADER`."""
        return [_build_row(each) for each in self.candidates]

    @property
    def is_unclear(self) -> bool:
        """Return whether the verdict on a candidate is "unclear"."""
        return any(each.verdict == "unclear" for each in self.candidates)


def compare_reports(before: BenchmarkReport, now: BenchmarkReport) -> ReportComparison:
    """Compare the candidates of the same file name, engine and number of threads.

    Args:
        before: The old report.
        now: The new report, whose order decides.
    """
    old, new = ({each.key: each for each in report.measured} for report in (before, now))
    differences = [_compare_results(old.get(key), new.get(key), key) for key in {**new, **old}]
    return ReportComparison(_list_caveats(before, now), differences)


def _list_caveats(before: BenchmarkReport, now: BenchmarkReport) -> list[str]:
    changes = {
        "different machines": _describe_changes(before.machine, now.machine),
        "different versions": _describe_changes(before.versions, now.versions),
    }
    lines = [f"{subject}: {change}" for subject, change in changes.items() if change]
    if before.image_sha256 != now.image_sha256:
        lines.append(f"different images: {before.image} before, {now.image} now")
    return lines


def _compare_results(
    old: CandidateResult | None, new: CandidateResult | None, key: CandidateKey
) -> Difference:
    before = old.measurement.total.p50 if old and old.measurement else None
    now = new.measurement.total.p50 if new and new.measurement else None
    ratio = _divide(now, before) if before and now else None
    return Difference(
        file=key.file,
        engine=key.engine,
        threads=key.threads,
        before=before,
        now=now,
        ratio=ratio,
        verdict=_judge(ratio) if ratio else "only now" if before is None else "only before",
        same_file=bool(old and new and old.sha256 == new.sha256),
    )


def _judge(ratio: Estimate) -> Verdict:
    if ratio.high is not None and ratio.high < 1:
        return "faster"
    if ratio.low is not None and ratio.low > 1:
        return "slower"
    return "unclear"


def _divide(now: Estimate, before: Estimate) -> Estimate:
    value = now.value / before.value
    if before.low is None or before.high is None or now.low is None or now.high is None:
        return Estimate(value)
    return Estimate(value, now.low / before.high, now.high / before.low)


def _build_row(each: Difference) -> tuple[str, ...]:
    ratio = "-"
    if each.ratio:
        ends = (each.ratio.low, each.ratio.high)
        low, high = (f"{end:.2f}" if end is not None else "?" for end in ends)
        ratio = f"{each.ratio.value:.2f} ({low} to {high})"
    other = each.ratio is not None and not each.same_file
    return (
        f"{each.file} x{each.threads}",
        format_ms(each.before.value) if each.before else "-",
        format_ms(each.now.value) if each.now else "-",
        ratio,
        f"{each.verdict} (other bytes)" if other else each.verdict,
    )


def _describe_changes(old: Mapping[str, str], new: Mapping[str, str]) -> str:
    """Return the values that differ, in words; names that only one of them has are left out."""
    both = [name for name in old if name in new]
    return "; ".join(
        f"{name} {old[name]} before, {new[name]} now" for name in both if old[name] != new[name]
    )
