"""Shared by the benchmarks: the machine in words, processes and their use of it, quiet runs."""

from __future__ import annotations

import os
import platform
import time
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, TypeVar

from edgeemo.bench.conditions import read_cpu_seconds_of_others
from edgeemo.utils.system import usable_cores

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from subprocess import Popen

CORES = usable_cores()

_QUIET = 0.05
"""Cores that other processes may use in a run that counts."""
_PATIENCE = 4
"""Runs that are tried for each one that counts."""

_Measured = TypeVar("_Measured")


@dataclass(frozen=True)
class Usage:
    """Resources of a process that has ended.

    Attributes:
        cpu_ms: Processor time of all its threads.
        peak_mb: Peak memory, as the kernel accounts for it.
    """

    cpu_ms: float
    peak_mb: float


def wait_for(process: Popen) -> Usage:
    """Wait for the end of a process, and set its exit status."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Usage((usage.ru_utime + usage.ru_stime) * 1000, usage.ru_maxrss / 1024)


def describe(*packages: str) -> str:
    """Return processor, cores, Python and the packages' versions, in one line."""
    machine = f"{platform.machine()}, {CORES} cores, Python {platform.python_version()}"
    return ", ".join([machine, *map(_with_version, packages)])


def _with_version(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"no {package}"


def measure_quietly(
    measures: Sequence[Callable[[], _Measured]], count: int
) -> tuple[list[list[_Measured]], str]:
    """Repeat measurements in turn until each was undisturbed often enough.

    Args:
        measures: The measurements; their processes have ended when they return.
        count: Number of undisturbed runs of each.

    Returns:
        For each, its undisturbed runs, or the least disturbed if there were too few; and a remark
        on the disturbance.
    """
    runs: list[list[tuple[float, int, _Measured]]] = [[] for _ in measures]
    for number in range(count * _PATIENCE):
        lacking = [
            side for side, done in enumerate(runs)
            if sum(others <= _QUIET for others, *_ in done) < count
        ]  # fmt: skip
        if not lacking:
            break
        for side in lacking:
            before, start = read_cpu_seconds_of_others()[0], time.perf_counter()
            measured = measures[side]()
            others = (read_cpu_seconds_of_others()[0] - before) / (time.perf_counter() - start)
            runs[side].append((others, number, measured))
    best = [sorted(done)[:count] for done in runs]
    most = max(others for done in best for others, *_ in done)
    return [[run for *_, run in done] for done in best], f"others used at most {most:.2f} cores"
