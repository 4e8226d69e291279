"""Two reports side by side: what became faster or slower, and whether that is more than chance."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from edgeemo.bench.quantiles import Estimate
from edgeemo.bench.table import interval_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgeemo.bench.results import BenchmarkReport, CandidateResult

Verdict = Literal["faster", "slower", "unclear", "only before", "only now"]

HEADER = ("file, threads", "before, p50 ms", "now, p50 ms", "now / before", "verdict")
EXPLANATION = "unclear: the intervals allow for both, faster and slower"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One candidate in two reports.

    Attributes:
        file: Its file's name.
        engine: The engine's package.
        threads: Threads per answer.
        before: Median ms from an image's bytes to the label in the old report, or None.
        now: The same in the new report, or None.
        ratio: now / before, where both are there: below 1 is faster. Its interval holds every ratio
            of a value in the one interval to a value in the other.
        verdict: "faster" or "slower" where that interval does not hold 1, "unclear" where it does.
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


def compare(before: BenchmarkReport, now: BenchmarkReport) -> list[Difference]:
    """Compare candidates of the same file name, engine and number of threads.

    Args:
        before: The old report.
        now: The new one.

    Returns:
        Those that were measured in one report at least, in the order of the new one.
    """
    old, new = _by_key(before), _by_key(now)
    return [_difference(old.get(key), new.get(key), key) for key in {**new, **old}]


def caveats(before: BenchmarkReport, now: BenchmarkReport) -> list[str]:
    """What else than the files differs between two reports, one line each."""
    changes = {
        "the machine is not the same": _changes(before.machine, now.machine),
        "the versions are not the same": _changes(before.versions, now.versions),
    }
    lines = [f"{what}: {how}" for what, how in changes.items() if how]
    if before.image_sha256 != now.image_sha256:
        lines.append(f"the images are not the same: {before.image} before, {now.image} now")
    return lines


def rows(differences: list[Difference]) -> list[tuple[str, ...]]:
    """One row per candidate, under `HEADER`."""
    return [_row(each) for each in differences]


def to_dict(differences: list[Difference], notes: list[str]) -> dict[str, Any]:
    """Ready for JSON."""
    return {"caveats": notes, "candidates": [asdict(each) for each in differences]}


def _by_key(report: BenchmarkReport) -> dict[tuple[str, str, int], CandidateResult]:
    return {(each.file, each.engine, each.threads): each for each in report.measured}


def _difference(
    old: CandidateResult | None, new: CandidateResult | None, key: tuple[str, str, int]
) -> Difference:
    before = old.measured.whole.p50 if old and old.measured else None
    now = new.measured.whole.p50 if new and new.measured else None
    ratio = _ratio(before, now) if before and now else None
    if ratio is None:
        verdict: Verdict = "only now" if before is None else "only before"
    elif ratio.high is not None and ratio.high < 1:
        verdict = "faster"
    elif ratio.low is not None and ratio.low > 1:
        verdict = "slower"
    else:
        verdict = "unclear"
    return Difference(
        file=key[0],
        engine=key[1],
        threads=key[2],
        before=before,
        now=now,
        ratio=ratio,
        verdict=verdict,
        same_file=bool(old and new and old.sha256 == new.sha256),
    )


def _ratio(before: Estimate, now: Estimate) -> Estimate:
    value = now.value / before.value
    if before.low is None or before.high is None or now.low is None or now.high is None:
        return Estimate(value)
    return Estimate(value, now.low / before.high, now.high / before.low)


def _row(each: Difference) -> tuple[str, ...]:
    ratio = "-"
    if each.ratio:
        ends = (each.ratio.low, each.ratio.high)
        low, high = (f"{end:.2f}" if end is not None else "?" for end in ends)
        ratio = f"{each.ratio.value:.2f} ({low} to {high})"
    other = each.ratio is not None and not each.same_file
    return (
        f"{each.file} x{each.threads}",
        interval_text(each.before) if each.before else "-",
        interval_text(each.now) if each.now else "-",
        ratio,
        f"{each.verdict} (other bytes)" if other else each.verdict,
    )


def _changes(old: Mapping[str, str], new: Mapping[str, str]) -> str:
    """What is not the same, in words; a name that only one of them has is left out."""
    both = [name for name in old if name in new]
    return "; ".join(
        f"{name} {old[name]} before, {new[name]} now" for name in both if old[name] != new[name]
    )
