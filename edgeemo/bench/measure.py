"""Measure the candidates in turn, round by round, until their figures are certain enough.

A B C, A B C, ...: what slows the machine down for a while, or for good when it gets hot, meets all
of them alike. Every round of a candidate is a fresh process, so each is a cold start as well.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edgeemo.bench.protocol import CRASHED, FAILED, Job, Round, Trouble
from edgeemo.bench.quantiles import median_over_rounds, quantile
from edgeemo.bench.results import STAGES, STARTS, CandidateResult, Measurement, StageTime
from edgeemo.utils.system import usable_cores
from edgeemo.utils.text import plural

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edgeemo.bench.candidates import ExportedFile
    from edgeemo.utils.progress import Progress

MIN_ROUNDS = 6
"""The fewest processes of which a median has an interval."""
MAX_ROUNDS = 10
MIN_RUNS = 500
"""From 368 runs on the 99th percentile has an interval with two ends."""
PRECISION = 0.02
"""A candidate is done when half the interval of its median is at most this share of it."""
SECONDS = 30.0
"""By default, the longest that one candidate's answers are timed."""

_RUNS = 90  # per round
_STREAM_SECONDS = 0.3
_TRY = 1  # runs of the first try, which is not counted


@dataclass(frozen=True)
class Images:
    """What is answered.

    Attributes:
        what: In words.
        sha256: Of all bytes, one image after the other.
        paths: The files; none where the image is `content`.
        content: The bytes of the one image, or nothing.
    """

    what: str
    sha256: str
    paths: tuple[str, ...] = ()
    content: bytes = b""


@dataclass
class _Candidate:
    """A file with a number of threads, and what its rounds have found so far."""

    file: ExportedFile
    threads: int
    rounds: list[Round] = field(default_factory=list)
    trouble: Trouble | None = None

    @property
    def workers(self) -> int:
        return max(1, usable_cores() // self.threads)

    def wants_another_round(self, seconds: float) -> bool:
        """Whether its figures are not certain enough, and there is time left."""
        if self.trouble or len(self.rounds) >= MAX_ROUNDS:
            return False
        if len(self.rounds) < MIN_ROUNDS:
            return True
        if sum(each.seconds for each in self.rounds) >= seconds:
            return False
        whole = [each.whole for each in self.rounds]
        too_few = sum(map(len, whole)) < MIN_RUNS
        return too_few or median_over_rounds(whole).precision > PRECISION

    def add(self, found: Round | Trouble) -> None:
        """Take in what a round has found."""
        if isinstance(found, Round):
            self.rounds.append(found)
        else:
            self.trouble = found


def measure(
    files: Sequence[ExportedFile],
    *,
    threads: Sequence[int],
    images: Images,
    run: Callable[[Job], Round | Trouble],
    seconds: float,
    progress: Progress,
    after_round: Callable[[], None],
) -> tuple[list[CandidateResult], dict[str, str]]:
    """Measure every file with every number of threads.

    Args:
        files: The exported files.
        threads: Numbers of threads.
        images: What to answer.
        run: Has a job done in a process of its own.
        seconds: The longest that one candidate's answers are timed; starting comes on top.
        progress: Told where it is.
        after_round: Called after each round, to look at the machine.

    Returns:
        One result per candidate, file by file; and the versions of what ran.

    Raises:
        ImageError: If an image cannot be read.
    """
    candidates = [
        _Candidate(file, each, trouble=Trouble(FAILED, file.problem) if file.problem else None)
        for file in files
        for each in threads
    ]
    versions = _try(candidates, images, run, progress)
    for number in range(MAX_ROUNDS):
        waiting = [each for each in candidates if each.wants_another_round(seconds)]
        if not waiting:
            break
        progress.stage(_round_name(number + 1), total=len(waiting))
        for each in waiting:
            each.add(run(_job(each, images, number, seconds)))
            progress.advance(detail=f"{each.file.name}, {plural(each.threads, 'thread')}")
        after_round()
    return [_result(each) for each in candidates], versions


def _try(
    candidates: Sequence[_Candidate],
    images: Images,
    run: Callable[[Job], Round | Trouble],
    progress: Progress,
) -> dict[str, str]:
    """Start every candidate once: who cannot run drops out, and the files are in the cache."""
    versions: dict[str, str] = {}
    waiting = [each for each in candidates if not each.trouble]
    progress.stage("Trying every file", total=len(waiting))
    for each in waiting:
        found = run(_job(each, images, None, 0))
        if isinstance(found, Round):
            versions.update(found.versions)
        else:
            each.trouble = found
        progress.advance(detail=each.file.name)
    return versions


def _round_name(number: int) -> str:
    if number <= MIN_ROUNDS:
        return f"Round {number} of {MIN_ROUNDS}"
    return f"Round {number}, where the figures are not certain enough"


def _job(candidate: _Candidate, images: Images, number: int | None, seconds: float) -> Job:
    """One round; `number` is None for the try."""
    return Job(
        path=candidate.file.path,
        threads=candidate.threads,
        workers=candidate.workers,
        images=images.paths,
        first=(number or 0) * _RUNS,
        check=number is None,
        runs=_TRY if number is None else _RUNS,
        seconds=seconds / MAX_ROUNDS,
        stream_seconds=0 if number is None else min(_STREAM_SECONDS, seconds / MAX_ROUNDS),
        started_ns=time.monotonic_ns(),
        faces=candidate.file.faces,
    )


def _result(candidate: _Candidate) -> CandidateResult:
    file, trouble = candidate.file, candidate.trouble
    if trouble and trouble.status == CRASHED and candidate.rounds:
        reason = f"{trouble.reason} (in round {len(candidate.rounds) + 1})"
        trouble = Trouble(CRASHED, reason)
    return CandidateResult(
        file=file.name,
        sha256=file.sha256,
        size_bytes=file.size_bytes,
        engine=candidate.rounds[0].engine.partition(" ")[0] if candidate.rounds else file.engine,
        threads=candidate.threads,
        status=trouble.status if trouble else "measured",
        reason=trouble.reason if trouble else "",
        verified=file.verified,
        accuracy=file.accuracy,
        measured=None if trouble else _pooled(candidate),
    )


def _pooled(candidate: _Candidate) -> Measurement:
    rounds = candidate.rounds
    rates = [each.per_second for each in rounds if each.per_second]
    return Measurement(
        rounds=len(rounds),
        runs=sum(len(each.whole) for each in rounds),
        cold={name: quantile([getattr(each, name) for each in rounds], 0.5) for name in STARTS},
        warm=_stages(rounds),
        per_second=quantile(rates, 0.5),
        workers=candidate.workers,
        peak_mb=max(each.peak_mb for each in rounds),
        faceless=sum(each.faceless for each in rounds),
    )


def _stages(rounds: Sequence[Round]) -> dict[str, StageTime]:
    """The stages that were timed at all: no face is found by many models, or in some images."""
    values = {name: [getattr(each, name) for each in rounds] for name in STAGES}
    timed = {name: [each for each in found if each] for name, found in values.items()}
    return {name: _stage(found) for name, found in timed.items() if found}


def _stage(rounds: Sequence[Sequence[float]]) -> StageTime:
    pooled = [value for each in rounds for value in each]
    return StageTime(
        p50=median_over_rounds(rounds), p90=quantile(pooled, 0.9), p99=quantile(pooled, 0.99)
    )
