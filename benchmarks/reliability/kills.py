"""Kill the commands that write, at random moments, and see what is left and whether they run again.

    python -m benchmarks.reliability.run kills

Needs the ``train`` and ``tune`` extras. Every command runs once to its end, for its duration and
its files. Then it gets SIGKILL, SIGTERM or SIGINT, most of the trainings after their first
checkpoint; every fourth is process 1 of a PID namespace, where those may be made, and every fifth
has its own interpreter, whose start can be killed, too. A command that ended before the signal is
drawn again. Counted are results that are half-written, commands that do not end or do not run
again, trainings that ``--resume`` brings to other files, and hidden files that stay.
"""

from __future__ import annotations

import random
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.reliability.check import Check
from benchmarks.reliability.forks import Fork, can_be_first, import_everything, start
from benchmarks.reliability.kill_cases import (
    CASES,
    PREPARE,
    PREPARE_MODEL,
    STATE,
    Case,
    copy_prepared,
    fingerprint,
    list_hidden,
)

COUNT = 200
_SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
_FAULTS = ("half-written", "blocked", "not resumed")
_OTHERS = ("other files", "left", "does not end", "traceback")
_AFTER_CHECKPOINT = 0.9
_MAX_SECONDS = 300


@dataclass(frozen=True)
class Whole:
    """A run to the end.

    Attributes:
        seconds: Its duration.
        checkpoint_s: Time of its first checkpoint; 0 without one.
        files: The files that it writes, by name, with their SHA-256.
    """

    seconds: float
    checkpoint_s: float
    files: dict[str, str]


@dataclass(frozen=True)
class Blow:
    """A signal to a command.

    Attributes:
        number: The signal.
        checkpoint: Whether it comes after a checkpoint.
        first: Whether the command is process 1.
        fresh: Whether it has an interpreter of its own.
        share: When it comes, as a share of the command's time, or of what is left of that.
    """

    number: signal.Signals
    checkpoint: bool
    first: bool
    fresh: bool
    share: float

    def __str__(self) -> str:
        """Return it in words."""
        after = " after a checkpoint" if self.checkpoint else ""
        kind = ", as process 1" if self.first else ", own interpreter" if self.fresh else ""
        return f"{self.number.name}{after}{kind}"


def measure(count: int = COUNT, cases: tuple[Case, ...] = CASES) -> list[Check]:
    """Return the check of `count` kills, and print their kinds and the faults."""
    heavy = any(case.needs_tensorflow for case in cases)
    import_everything(heavy=heavy)
    drawn, with_first = random.Random(0), can_be_first()
    kinds: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    with TemporaryDirectory() as folder:
        source = Path(folder, "source")
        source.mkdir()
        for words in (*PREPARE, *(PREPARE_MODEL if heavy else ())):
            _run_to_end(words, source)
        wholes = {case: _run_whole(case, source, Path(folder)) for case in cases}
        while kinds.total() < count:
            (case,) = drawn.choices(cases, [case.weight for case in cases])
            blow = _draw_blow(drawn, case, kinds.total(), with_first=with_first)
            begin = time.monotonic()
            with TemporaryDirectory(dir=folder) as place:
                found = _kill_and_judge(case, blow, source, Path(place) / "w", wholes[case])
            if found is None:  # it was quicker than the first time
                seconds = min(wholes[case].seconds, time.monotonic() - begin)
                wholes[case] = replace(wholes[case], seconds=seconds)
                continue
            kinds[str(blow)] += 1
            faults.update(fault.split(" (")[0] for fault in found)
            for fault in found:
                print(f"{case.words}: {blow}: {fault}", file=sys.stderr, flush=True)
    print(*(f"{number:4} x {kind}" for kind, number in sorted(kinds.items())), sep="\n", flush=True)
    return [_summarise(kinds, faults)]


def _summarise(kinds: Counter[str], faults: Counter[str]) -> Check:
    counts = [faults[fault] for fault in _FAULTS]
    counts.append(sum(faults[fault] for fault in _OTHERS))
    after = sum(number for kind, number in kinds.items() if "checkpoint" in kind)
    first = sum(number for kind, number in kinds.items() if "process 1" in kind)
    return Check(
        name=f"{kinds.total()} kills (KILL, TERM, INT; {after} after a checkpoint, {first} as "
        "process 1): half-written / blocked / not resumed to the same bytes / other faults",
        measured=" / ".join(map(str, counts)),
        promise="0 / 0 / 0 / 0",
        kept=not any(counts),
    )


def _draw_blow(drawn: random.Random, case: Case, number: int, *, with_first: bool) -> Blow:
    first = with_first and number % 4 == 3
    return Blow(
        number=drawn.choice(_SIGNALS),
        checkpoint=drawn.random() < _AFTER_CHECKPOINT and case.trains,
        first=first,
        fresh=not first and number % 5 == 0,
        share=drawn.random(),
    )


def _run_to_end(words: str, place: Path) -> None:
    """Run a command.

    Raises:
        RuntimeError: If it fails.
    """
    fork = start(words, place)
    if fork.wait(_MAX_SECONDS):
        raise RuntimeError(f"{words}: {fork.errors.read_text()}")


def _run_whole(case: Case, source: Path, folder: Path) -> Whole:
    with TemporaryDirectory(dir=folder) as temporary:
        place = Path(temporary) / "w"
        copy_prepared(case, source, place)
        begin = time.monotonic()
        fork, checkpoint_s = start(case.words, place), 0.0
        while fork.poll() is None:
            if not checkpoint_s and (place / STATE).exists():
                checkpoint_s = time.monotonic() - begin
            time.sleep(0.01)
        if fork.status:
            raise RuntimeError(f"{case.words}: {fork.errors.read_text()}")
        return Whole(time.monotonic() - begin, checkpoint_s, fingerprint(case, place))


def _kill_and_judge(
    case: Case, blow: Blow, source: Path, place: Path, whole: Whole
) -> list[str] | None:
    """Return the faults of a case that is killed; None if it ended before."""
    copy_prepared(case, source, place)
    before = fingerprint(case, place)
    fork = start(case.words, place, first=blow.first, fresh=blow.fresh)
    if not _strike(fork, blow, place, whole):
        return None
    ended = fork.wait(60) is not None
    if not ended:
        fork.kill(signal.SIGKILL)
        fork.wait(60)
    faults = [] if ended else ["does not end"]
    said = fork.errors.read_text(errors="replace")
    if "Traceback" in said and "/edgeemo/" in said:  # not while Python itself starts
        faults.append(f"traceback ({said[-300:]!r})")
    return faults + judge(case, place, whole, before)


def _strike(fork: Fork, blow: Blow, place: Path, whole: Whole) -> bool:
    """Send the signal in its time; return whether the command was still running."""
    seconds = whole.seconds
    if blow.checkpoint:
        while not (place / STATE).exists() and fork.poll() is None:
            time.sleep(0.01)
        seconds -= whole.checkpoint_s
    fork.wait(blow.share * seconds)
    if fork.poll() is not None:
        return False
    fork.kill(blow.number)
    return True


def judge(case: Case, place: Path, whole: Whole, before: dict[str, str]) -> list[str]:
    """Return the faults: of what is there now, and of what the same command then writes."""
    faults = []
    now = fingerprint(case, place)
    there = (place / case.out).exists() and not before and not case.piecemeal
    if before or case.piecemeal:
        whole_files = before.items() | whole.files.items()
        if not whole_files >= now.items():
            faults.append("half-written")
    elif there and now != whole.files and not (case.trains and now.keys() == whole.files.keys()):
        faults.append("half-written")  # a training keeps its best epoch on Ctrl-C
    if there:
        return faults
    resumes = case.trains and (place / STATE).exists()
    again = start(f"{case.words}{' --resume' if resumes else ''}", place)
    if again.wait(_MAX_SECONDS) != 0:
        return [*faults, f"blocked ({again.errors.read_text().strip()[-300:]})"]
    if fingerprint(case, place) != whole.files:
        faults.append("not resumed" if resumes else "other files")
    if left := list_hidden(place):
        faults.append(f"left ({', '.join(left)})")
    return faults
