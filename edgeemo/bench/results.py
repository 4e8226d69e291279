"""What was measured, as data; the same on the device, in ``bench.json`` and on the screen."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from edgeemo.bench.quantiles import CONFIDENCE, Estimate
from edgeemo.errors import BenchError
from edgeemo.utils.text import plural

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT_VERSION = 1
Status = Literal["measured", "not run", "failed", "crashed"]

STARTS = ("start", "imports", "load", "first", "cold")
STAGES = ("decode", "find", "resize", "invoke", "whole")
_ALWAYS = ("decode", "whole")
"""The stages of every answer; no face is found by many models, and none in some images."""


@dataclass(frozen=True, kw_only=True)
class StageTime:
    """How long one stage takes, in milliseconds.

    Attributes:
        p50: Median.
        p90: Nine in ten take no longer.
        p99: 99 in a hundred take no longer.
    """

    p50: Estimate
    p90: Estimate
    p99: Estimate


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """What was measured of one candidate.

    Attributes:
        rounds: Number of processes.
        runs: Number of images timed, in all of them together.
        cold: Medians over the processes, in milliseconds: "start" (of Python), "imports", "load",
            "first" (answer), and "cold": everything from the process's start to the first answer.
        warm: "decode", "find" (and crop the largest face; where faces are found), "resize",
            "invoke" (both where there is an image that has one), and "whole": from an image's
            bytes to the label, or those of all faces in it.
        per_second: Images answered per second by `workers` at the same time.
        workers: As many as occupy the cores: cores / threads.
        peak_mb: Peak memory of the process that answers one image at a time, in MB (2 to the
            power of 20 bytes); the largest of the processes.
        faceless: In how many of the runs no face was found, where faces were sought.
    """

    rounds: int
    runs: int
    cold: dict[str, Estimate]
    warm: dict[str, StageTime]
    per_second: Estimate
    workers: int
    peak_mb: float
    faceless: int = 0

    @property
    def whole(self) -> StageTime:
        """From an image's bytes to the label, once the process is warm."""
        return self.warm["whole"]


@dataclass(frozen=True, kw_only=True)
class CandidateResult:
    """What came of one candidate: a file in its engine with a number of threads.

    Attributes:
        file: Its name.
        sha256: SHA-256 of its bytes; empty where it could not be read.
        size_bytes: Its size; 0 where it could not be read.
        engine: The engine's package, as pip calls it.
        threads: Threads per answer.
        status: "measured"; "not run" (its engine is not installed); "failed" (it was refused);
            "crashed".
        reason: Why it was not measured, in words.
        verified: Whether these bytes passed their verification.
        accuracy: On the test split, from the verification; None where there is none.
        measured: The figures, if it was measured.
    """

    file: str
    sha256: str
    size_bytes: int
    engine: str
    threads: int
    status: Status
    reason: str = ""
    verified: bool = False
    accuracy: Estimate | None = None
    measured: Measurement | None = None

    @property
    def name(self) -> str:
        """The candidate in words."""
        return f"{self.file} with {plural(self.threads, 'thread')}"


@dataclass(frozen=True, kw_only=True)
class BenchmarkReport:
    """One run of the benchmark.

    Attributes:
        edgeemo: The version of edgeemo.
        date: When it was finished, ISO 8601, UTC.
        machine: See `edgeemo.utils.system.describe_machine`.
        versions: Of numpy, Pillow and the engines.
        image: What was answered, in words.
        image_sha256: SHA-256 of the images' bytes, one after the other.
        conditions: See `edgeemo.bench.conditions.Watch.to_dict`.
        warnings: What speaks against the figures.
        results: One per candidate, in the order in which they were asked for.
    """

    edgeemo: str
    date: str
    machine: dict[str, str]
    versions: dict[str, str]
    image: str
    image_sha256: str
    conditions: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    results: tuple[CandidateResult, ...]

    @property
    def measured(self) -> tuple[CandidateResult, ...]:
        """The candidates that have figures."""
        return tuple(result for result in self.results if result.measured)

    @property
    def finds_faces(self) -> bool:
        """Whether a measured candidate finds faces."""
        return any(each.measured and "find" in each.measured.warm for each in self.results)

    @property
    def fastest(self) -> CandidateResult | None:
        """The candidate with the lowest median from an image's bytes to the label."""
        return min(self.measured, key=whole_ms, default=None)

    @property
    def has_troubles(self) -> bool:
        """Whether a candidate failed or crashed; one whose engine is not installed does not."""
        return any(result.status in ("failed", "crashed") for result in self.results)

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON; the fields of the classes of this module, as they are.

        Besides there is ``version`` (of this format), ``confidence`` (of the intervals) and
        ``fastest``: file, engine and threads.
        """
        fastest = self.fastest
        return {
            "version": FORMAT_VERSION,
            "confidence": CONFIDENCE,
            "fastest": {
                "file": fastest.file, "engine": fastest.engine, "threads": fastest.threads
            } if fastest else None,
            **asdict(self),
        }  # fmt: skip

    @classmethod
    def from_json(cls, text: bytes, *, origin: str) -> BenchmarkReport:
        """Read what `to_dict` gave.

        Args:
            text: The JSON text.
            origin: The file it came from, for the error message.

        Raises:
            BenchError: If it is not a report that this version understands.
        """
        try:
            fields = json.loads(text)
            if fields["version"] != FORMAT_VERSION:
                raise ValueError(f"its version {fields['version']} is not {FORMAT_VERSION}")
            return cls(
                **{name: fields[name] for name in _PLAIN},
                warnings=tuple(fields["warnings"]),
                results=tuple(map(_result, fields["results"])),
            )
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            reason = f"{error} is missing" if isinstance(error, KeyError) else error
            raise BenchError(
                f"{origin}: not what 'edgeemo bench --json' writes ({reason})"
            ) from None


_PLAIN = ("edgeemo", "date", "machine", "versions", "image", "image_sha256", "conditions")


def whole_ms(result: CandidateResult) -> float:
    """Median milliseconds from an image's bytes to the label; infinite if it was not measured."""
    return result.measured.whole.p50.value if result.measured else float("inf")


def _result(fields: Mapping[str, Any]) -> CandidateResult:
    found, accuracy = fields["measured"], fields["accuracy"]
    return CandidateResult(**{
        **fields,
        "accuracy": Estimate(**accuracy) if accuracy else None,
        "measured": _measured(found) if found else None,
    })  # fmt: skip


def _measured(fields: Mapping[str, Any]) -> Measurement:
    warm = {
        name: StageTime(**{key: Estimate(**value) for key, value in fields["warm"][name].items()})
        for name in STAGES
        if name in _ALWAYS or name in fields["warm"]
    }
    cold = {name: Estimate(**fields["cold"][name]) for name in STARTS}
    per_second = Estimate(**fields["per_second"])
    return Measurement(**{**fields, "warm": warm, "cold": cold, "per_second": per_second})
