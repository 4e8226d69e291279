"""The figures of a benchmark, as data: the same on the device, in ``bench.json`` and on screen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from edgeemo.bench.conditions import RunConditions  # noqa: TC001 - read when a report is read
from edgeemo.bench.protocol import COLD_STAGES, EnergySource
from edgeemo.bench.quantiles import CONFIDENCE, Estimate
from edgeemo.errors import BenchError
from edgeemo.utils.serialize import from_plain
from edgeemo.utils.strict_json import parse_json
from edgeemo.utils.text import plural

FORMAT_VERSION = 2
Status = Literal["measured", "not run", "failed", "crashed"]

_ALWAYS = {"decode", "total"}
"""Stages of every warm prediction: many models detect no faces, and some images have none."""


@dataclass(frozen=True, kw_only=True)
class StageTime:
    """Quantiles of the time of one stage, in milliseconds.

    Attributes:
        p50: Median.
        p90: 90th percentile.
        p99: 99th percentile.
    """

    p50: Estimate
    p90: Estimate
    p99: Estimate


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """The figures of one candidate.

    Attributes:
        rounds: Number of processes.
        runs: Number of timed predictions, in all of them together.
        cold_ms: Medians over the processes, by stage; see `edgeemo.bench.protocol.COLD_STAGES`.
        warm_ms: Times of warm predictions, by stage; see `edgeemo.bench.protocol.WARM_STAGES`.
            "detect", "resize" and "invoke" are absent if they were never run.
        images_per_second: Rate of predictions with `workers` images at the same time.
        workers: Cores / threads.
        peak_mb: Peak memory of a process that predicts one image at a time, in MB (2 to the
            power of 20 bytes); the largest of the processes.
        runs_without_face: Number of runs in which no face was detected, if faces are detected.
        joules_per_image: Energy over the images at `images_per_second`; None where the board does
            not tell it.
        energy_source: See `edgeemo.bench.energy.EnergyMeter`.
    """

    rounds: int
    runs: int
    cold_ms: dict[str, Estimate]
    warm_ms: dict[str, StageTime]
    images_per_second: Estimate
    workers: int
    peak_mb: float
    runs_without_face: int = 0
    joules_per_image: Estimate | None = None
    energy_source: EnergySource | None = None

    @property
    def watts(self) -> float | None:
        """Return the power at `images_per_second`, in watts."""
        if self.joules_per_image is None:
            return None
        return self.joules_per_image.value * self.images_per_second.value

    def __post_init__(self) -> None:
        for stage in (*(set(COLD_STAGES) - set(self.cold_ms)), *(_ALWAYS - set(self.warm_ms))):
            raise ValueError(f"no figures of the stage {stage}")

    @property
    def total(self) -> StageTime:
        """Return the time of a warm prediction, from an image's bytes to the label."""
        return self.warm_ms["total"]


@dataclass(frozen=True, order=True)
class CandidateKey:
    """What tells a candidate from the others of a report.

    Attributes:
        file: Name of its file.
        engine: The engine's package, as pip calls it.
        threads: Threads per prediction.
    """

    file: str
    engine: str
    threads: int


@dataclass(frozen=True, kw_only=True)
class CandidateResult:
    """The outcome of one candidate: a file in its engine with a number of threads.

    Attributes:
        file: Its name.
        sha256: SHA-256 of its bytes; empty if it could not be read.
        size_bytes: Its size; 0 if it could not be read.
        engine: The engine's package, as pip calls it.
        threads: Threads per prediction.
        status: "measured"; "not run" (its engine is not installed); "failed" (it was refused);
            "crashed".
        reason: Why it was not measured, in words.
        verified: Whether these bytes passed their verification.
        adopted: Whether they were adopted: there is no reference model to verify them against.
        accuracy: Accuracy on the test split, from the verification; None if unknown.
        measurement: The figures, if it was measured.
    """

    file: str
    sha256: str
    size_bytes: int
    engine: str
    threads: int
    status: Status
    reason: str = ""
    verified: bool = False
    adopted: bool = False
    accuracy: Estimate | None = None
    measurement: Measurement | None = None

    @property
    def key(self) -> CandidateKey:
        """Return its file, engine and number of threads."""
        return CandidateKey(self.file, self.engine, self.threads)

    @property
    def name(self) -> str:
        """Return the candidate in words."""
        return f"{self.file} with {plural(self.threads, 'thread')}"

    @property
    def median_ms(self) -> float:
        """Return the median time of a warm prediction; infinite if it was not measured."""
        return self.measurement.total.p50.value if self.measurement else float("inf")


@dataclass(frozen=True, kw_only=True)
class BenchmarkReport:
    """One run of the benchmark.

    Attributes:
        edgeemo: Version of edgeemo.
        date: End of the run, ISO 8601, UTC.
        machine: See `edgeemo.utils.system.describe_machine`.
        versions: Versions of numpy, Pillow and the engines.
        image: The predicted images, in words.
        image_sha256: SHA-256 of the images' bytes, one after the other.
        conditions: State of the machine.
        warnings: Reasons to distrust the figures.
        results: One per candidate, in the order of the request.
    """

    DERIVED: ClassVar = ("version", "confidence", "fastest")
    version: ClassVar = FORMAT_VERSION
    confidence: ClassVar = CONFIDENCE

    edgeemo: str
    date: str
    machine: dict[str, str]
    versions: dict[str, str]
    image: str
    image_sha256: str
    conditions: RunConditions | None = None
    warnings: tuple[str, ...] = ()
    results: tuple[CandidateResult, ...]

    @property
    def measured(self) -> tuple[CandidateResult, ...]:
        """Return the candidates that have figures."""
        return tuple(result for result in self.results if result.measurement)

    @property
    def detects_faces(self) -> bool:
        """Return whether a measured candidate detects faces."""
        return any(
            each.measurement and "detect" in each.measurement.warm_ms for each in self.results
        )

    @property
    def fastest_result(self) -> CandidateResult | None:
        """Return the candidate with the lowest median time of a warm prediction."""
        return min(self.measured, key=lambda each: each.median_ms, default=None)

    @property
    def fastest(self) -> CandidateKey | None:
        """Return the key of `fastest_result`."""
        return self.fastest_result.key if self.fastest_result else None

    @property
    def has_failures(self) -> bool:
        """Return whether a candidate failed or crashed; a missing engine is no failure."""
        return any(result.status in ("failed", "crashed") for result in self.results)

    @classmethod
    def from_json(cls, text: bytes, *, origin: str) -> BenchmarkReport:
        """Read a report that `edgeemo.utils.serialize.to_plain` turned into JSON.

        Args:
            text: The JSON text.
            origin: Its file, for the error message.

        Raises:
            BenchError: If it is not a report of this version's format.
        """
        try:
            return from_plain(cls, parse_json(text))
        except ValueError as error:
            raise BenchError(
                f"{origin}: not a report of this version's 'edgeemo bench --json' ({error}); "
                "measure again"
            ) from None
