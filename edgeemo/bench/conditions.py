"""The machine's state during a measurement: clock, temperature, throttling, other processes."""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass
from typing import ClassVar

from edgeemo.utils.thermal import (
    PRESENT,
    SINCE_START,
    describe_throttling,
    read_temperatures,
    read_throttled,
)

_GOVERNORS = "/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor"
_CLOCKS = "/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_cur_freq"
_STAT = "/proc/stat"

_BUSY = 0.15
"""Cores that other processes may use without a warning."""


@dataclass(frozen=True)
class Conditions:
    """The machine's state at one moment, as far as the system tells.

    Attributes:
        governors: Clock governors of all cores, each once.
        mhz: Clock of each core, in MHz.
        celsius: Temperature of each thermal zone in °C, by the zone's type.
        throttled: The firmware's bits, or None.
        load: Load average of the last minute.
    """

    DERIVED: ClassVar = ("throttled_reasons",)

    governors: tuple[str, ...]
    mhz: tuple[int, ...]
    celsius: dict[str, float]
    throttled: int | None
    load: float

    @property
    def throttled_reasons(self) -> list[str]:
        """Return the firmware's bits in words."""
        return describe_throttling(self.throttled or 0)


@dataclass(frozen=True, kw_only=True)
class RunConditions:
    """The machine's state over a whole run.

    Attributes:
        before: State before the run.
        after: State after it.
        throttled_during: Reasons of throttling during the run, in words.
        cores_used_by_others: Number of cores that other processes used.
    """

    before: Conditions
    after: Conditions
    throttled_during: tuple[str, ...]
    cores_used_by_others: float


class ConditionsMonitor:
    """Monitor of the machine's state before, during and after a run."""

    def __init__(self) -> None:
        self._before = self._after = read_conditions()
        self._throttled = (self._before.throttled or 0) & PRESENT
        self._start = read_cpu_seconds_of_others()
        self._others = 0.0

    def update(self) -> None:
        """Read the state again: after every round and at the end."""
        self._after = read_conditions()
        bits = self._after.throttled or 0
        new = bits & ~(self._before.throttled or 0)
        self._throttled |= bits & PRESENT | new >> SINCE_START
        seconds = zip(read_cpu_seconds_of_others(), self._start, strict=True)
        busy, wall = (now - then for now, then in seconds)
        self._others = max(0.0, busy / wall) if wall > 0 else 0.0

    def summarise(self) -> RunConditions:
        """Return the state before, during and after the run so far."""
        return RunConditions(
            before=self._before,
            after=self._after,
            throttled_during=tuple(describe_throttling(self._throttled)),
            cores_used_by_others=round(self._others, 2),
        )

    def list_warnings(self) -> tuple[str, ...]:
        """Return the reasons to distrust the figures, one line each."""
        found = []
        other = [each for each in self._after.governors if each != "performance"]
        if other:
            found.append(
                f"the processor's clock follows the governor {', '.join(other)}: write performance "
                f"into {_GOVERNORS} for figures that repeat"
            )
        if self._throttled:
            reasons = ", ".join(describe_throttling(self._throttled))
            found.append(f"the board was throttled during the run: {reasons}")
        if self._others > _BUSY:
            found.append(
                f"other processes used {self._others:.1f} cores during the run: times and "
                "intervals are larger than on an idle machine"
            )
        return tuple(found)


def read_conditions() -> Conditions:
    """Read the machine's state; unknown parts are left empty."""
    clocks = [_parse_int(_read(path)) for path in _glob(_CLOCKS)]
    return Conditions(
        governors=tuple(dict.fromkeys(filter(None, map(_read, _glob(_GOVERNORS))))),
        mhz=tuple(round(khz / 1000) for khz in clocks if khz is not None),
        celsius=read_temperatures(),
        throttled=read_throttled(),
        load=os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0,
    )


def read_cpu_seconds_of_others() -> tuple[float, float]:
    """Return the CPU seconds of all other processes on all cores so far, and the clock in s."""
    own = os.times()
    ours = own.user + own.system + own.children_user + own.children_system
    fields = _read(_STAT).partition("\n")[0].split()[1:]
    ticks = list(map(int, fields)) if len(fields) >= 8 else [0] * 8
    user, nice, system, _idle, _iowait, irq, softirq, steal = ticks[:8]  # proc(5)
    if not any(ticks):
        return 0.0, own.elapsed
    all_busy = (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
    return all_busy - ours, own.elapsed


def _glob(pattern: str) -> list[str]:
    return sorted(glob.glob(pattern))  # noqa: PTH207


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:  # noqa: PTH123
            return stream.read().strip()
    except OSError:
        return ""


def _parse_int(text: str) -> int | None:
    return int(text) if text.lstrip("-").isdecimal() else None
