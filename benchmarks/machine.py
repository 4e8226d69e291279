"""What the benchmarks say of the machine, and how they tell whether others used it meanwhile."""

from __future__ import annotations

import platform
import time
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, TypeVar

from edgeemo.bench.conditions import read_cpu_seconds_of_others
from edgeemo.utils.system import usable_cores

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CORES = usable_cores()

_QUIET = 0.05
"""Cores that others may use in a run that counts."""
_PATIENCE = 4
"""Runs that are tried for each one wanted."""

_Measured = TypeVar("_Measured")


def describe(*packages: str) -> str:
    """Processor, cores, Python and the packages' versions, in one line."""
    machine = f"{platform.machine()}, {CORES} cores, Python {platform.python_version()}"
    return ", ".join([machine, *map(_with_version, packages)])


def _with_version(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"no {package}"


def quiet_runs(
    measures: Sequence[Callable[[], _Measured]], wanted: int
) -> tuple[list[list[_Measured]], str]:
    """Repeat measurements in turn until each was undisturbed often enough.

    Args:
        measures: What to do; the processes of each have ended when it returns.
        wanted: How many undisturbed runs of each.

    Returns:
        For each, its undisturbed runs, or the least disturbed where there were too few; and a
        remark on how it went.
    """
    runs: list[list[tuple[float, int, _Measured]]] = [[] for _ in measures]
    for number in range(wanted * _PATIENCE):
        lacking = [
            side for side, done in enumerate(runs)
            if sum(others <= _QUIET for others, *_ in done) < wanted
        ]  # fmt: skip
        if not lacking:
            break
        for side in lacking:
            before, start = read_cpu_seconds_of_others()[0], time.perf_counter()
            measured = measures[side]()
            others = (read_cpu_seconds_of_others()[0] - before) / (time.perf_counter() - start)
            runs[side].append((others, number, measured))
    best = [sorted(done)[:wanted] for done in runs]
    most = max(others for done in best for others, *_ in done)
    return [[run for *_, run in done] for done in best], f"others used at most {most:.2f} cores"
