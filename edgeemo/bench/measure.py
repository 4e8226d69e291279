"""Measure the candidates in turn, round by round, until their figures are precise enough.

A B C, A B C, ...: whatever slows the machine down for a while, or for good when it gets hot, meets
all candidates alike. Every round of a candidate is a fresh process and thus a cold start as well.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edgeemo.bench.protocol import (
    COLD_STAGES,
    CRASHED,
    FAILED,
    WARM_STAGES,
    Failure,
    Round,
    RoundRequest,
)
from edgeemo.bench.quantiles import estimate_median, estimate_quantile
from edgeemo.bench.results import CandidateResult, Measurement, StageTime
from edgeemo.utils.system import usable_cores
from edgeemo.utils.text import plural

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edgeemo.bench.candidates import CandidateFile
    from edgeemo.utils.progress import Progress

MIN_ROUNDS = 6
"""Minimum number of processes; a median of fewer has no interval."""
MAX_ROUNDS = 10
MIN_RUNS = 500
"""Minimum number of predictions; from 368 on the 99th percentile has an interval with two ends."""
PRECISION = 0.02
"""Half the width of the median's interval over the median, at which a candidate is done."""

_RUNS = 90  # per round
_STREAM_SECONDS = 0.3
_TRIAL_RUNS = 1  # of the trial, which is not counted


@dataclass(frozen=True)
class BenchmarkImages:
    """The images to predict.

    Attributes:
        description: The images, in words.
        sha256: SHA-256 of all bytes, one image after the other.
        paths: The files; empty if the image is `content`.
        content: The bytes of the one image, or nothing.
    """

    description: str
    sha256: str
    paths: tuple[str, ...] = ()
    content: bytes = b""


@dataclass
class _Candidate:
    """A file with a number of threads, and the figures of its rounds so far."""

    file: CandidateFile
    threads: int
    rounds: list[Round] = field(default_factory=list)
    failure: Failure | None = None

    @property
    def workers(self) -> int:
        """Return the number of images predicted at the same time that occupies the cores."""
        return max(1, usable_cores() // self.threads)

    def needs_round(self, seconds: float) -> bool:
        """Return whether its figures are not precise enough, and there is time left."""
        if self.failure or len(self.rounds) >= MAX_ROUNDS:
            return False
        if len(self.rounds) < MIN_ROUNDS:
            return True
        if sum(each.seconds for each in self.rounds) >= seconds:
            return False
        totals = [each.warm_ms["total"] for each in self.rounds]
        too_few = sum(map(len, totals)) < MIN_RUNS
        return too_few or estimate_median(totals).precision > PRECISION

    def add(self, found: Round | Failure) -> None:
        """Add a round, or the reason why there is none."""
        if isinstance(found, Round):
            self.rounds.append(found)
        else:
            self.failure = found


def measure_candidates(
    files: Sequence[CandidateFile],
    *,
    threads: Sequence[int],
    images: BenchmarkImages,
    run: Callable[[RoundRequest], Round | Failure],
    seconds: float,
    progress: Progress,
    after_round: Callable[[], None],
) -> tuple[list[CandidateResult], dict[str, str]]:
    """Measure every file with every number of threads.

    Args:
        files: The exported files.
        threads: Numbers of threads.
        images: The images to predict.
        run: Runs a round in a process of its own.
        seconds: Time limit of one candidate's timed predictions, without the start of processes.
        progress: Receiver of progress.
        after_round: Called after each round of all candidates.

    Returns:
        One result per candidate, file by file; and the versions of the packages.

    Raises:
        ImageError: If an image cannot be read.
    """
    candidates = [
        _Candidate(file, each, failure=Failure(FAILED, file.problem) if file.problem else None)
        for file in files
        for each in threads
    ]
    versions = _try(candidates, images, run, progress)
    for number in range(MAX_ROUNDS):
        waiting = [each for each in candidates if each.needs_round(seconds)]
        if not waiting:
            break
        progress.stage(_name_round(number + 1), total=len(waiting))
        for each in waiting:
            each.add(run(_build_request(each, images, number, seconds)))
            progress.advance(detail=f"{each.file.name}, {plural(each.threads, 'thread')}")
        after_round()
    return [_build_result(each) for each in candidates], versions


def _try(
    candidates: Sequence[_Candidate],
    images: BenchmarkImages,
    run: Callable[[RoundRequest], Round | Failure],
    progress: Progress,
) -> dict[str, str]:
    """Start every candidate once, which fills the disk cache and finds those that cannot run."""
    versions: dict[str, str] = {}
    waiting = [each for each in candidates if not each.failure]
    progress.stage("Trying every file", total=len(waiting))
    for each in waiting:
        found = run(_build_request(each, images, None, 0))
        if isinstance(found, Round):
            versions.update(found.versions)
        else:
            each.failure = found
        progress.advance(detail=each.file.name)
    return versions


def _name_round(number: int) -> str:
    if number <= MIN_ROUNDS:
        return f"Round {number} of {MIN_ROUNDS}"
    return f"Round {number}, for figures that are not precise enough"


def _build_request(
    candidate: _Candidate, images: BenchmarkImages, number: int | None, seconds: float
) -> RoundRequest:
    """Return the request for one round; `number` is None for the trial."""
    return RoundRequest(
        path=candidate.file.path,
        threads=candidate.threads,
        workers=candidate.workers,
        images=images.paths,
        first=(number or 0) * _RUNS,
        check=number is None,
        runs=_TRIAL_RUNS if number is None else _RUNS,
        seconds=seconds / MAX_ROUNDS,
        stream_seconds=0 if number is None else min(_STREAM_SECONDS, seconds / MAX_ROUNDS),
        started_ns=time.monotonic_ns(),
        faces=candidate.file.faces,
        peer=candidate.file.peer,
    )


def _build_result(candidate: _Candidate) -> CandidateResult:
    file, failure = candidate.file, candidate.failure
    if failure and failure.status == CRASHED and candidate.rounds:
        failure = Failure(CRASHED, f"{failure.reason} (in round {len(candidate.rounds) + 1})")
    return CandidateResult(
        file=file.name,
        sha256=file.sha256,
        size_bytes=file.size_bytes,
        engine=candidate.rounds[0].engine.partition(" ")[0] if candidate.rounds else file.engine,
        threads=candidate.threads,
        status=failure.status if failure else "measured",
        reason=failure.reason if failure else "",
        verified=file.verified,
        adopted=file.adopted,
        accuracy=file.accuracy,
        measurement=None if failure else _pool(candidate),
    )


def _pool(candidate: _Candidate) -> Measurement:
    rounds = candidate.rounds
    rates = [each.rate for each in rounds if each.rate]
    joules = [each.joules_per_image for each in rates if each.joules_per_image is not None]
    return Measurement(
        rounds=len(rounds),
        runs=sum(len(each.warm_ms["total"]) for each in rounds),
        cold_ms={
            stage: estimate_quantile([each.cold_ms[stage] for each in rounds], 0.5)
            for stage in COLD_STAGES
        },
        warm_ms=_pool_stages(rounds),
        images_per_second=estimate_quantile([each.images_per_second for each in rates], 0.5),
        joules_per_image=estimate_quantile(joules, 0.5) if joules else None,
        energy_source=rates[0].energy_source if joules else None,
        workers=candidate.workers,
        peak_mb=max(each.peak_mb for each in rounds),
        runs_without_face=sum(each.runs_without_face for each in rounds),
    )


def _pool_stages(rounds: Sequence[Round]) -> dict[str, StageTime]:
    """Return the stages that were timed: many models detect no faces, and some images have none."""
    values = {stage: [each.warm_ms[stage] for each in rounds] for stage in WARM_STAGES}
    timed = {stage: [each for each in found if each] for stage, found in values.items()}
    return {stage: _estimate_stage(found) for stage, found in timed.items() if found}


def _estimate_stage(rounds: Sequence[Sequence[float]]) -> StageTime:
    pooled = [value for each in rounds for value in each]
    p90, p99 = (estimate_quantile(pooled, p) for p in (0.9, 0.99))
    return StageTime(p50=estimate_median(rounds), p90=p90, p99=p99)
