"""In what state the machine was while it was measured: clock, temperature, throttling, others."""

from __future__ import annotations

import glob
import os
import subprocess
from dataclasses import dataclass
from typing import Any, ClassVar

from edgeemo.utils.serialize import to_plain

_GOVERNORS = "/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor"
_CLOCKS = "/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_cur_freq"
_ZONES = "/sys/class/thermal/thermal_zone*"
_THROTTLED = "/sys/devices/platform/soc*/*firmware*/get_throttled"
_STAT = "/proc/stat"
_VCGENCMD = ("vcgencmd", "get_throttled")

_MEANINGS = {
    0: "undervoltage",
    1: "clock capped",
    2: "throttled",
    3: "soft temperature limit",
}
"""Bits of what a Raspberry Pi's firmware tells of now; 16 higher, whether it ever was so since the
board was started. From "vcgencmd: get_throttled" in the Raspberry Pi documentation (Raspberry Pi
OS). The kernel's firmware driver shows the same number, hexadecimal, in sysfs."""
_SINCE_START = 16
_BUSY = 0.15
"""Cores that others may keep busy before it is worth a warning."""


@dataclass(frozen=True)
class Conditions:
    """The machine's state at one moment, as far as the system tells.

    Attributes:
        governors: How the clock is chosen, of all cores, each once.
        mhz: The clock of each core.
        celsius: The temperature of each zone, by its type.
        throttled: The firmware's bits, or None.
        load: Load average of the last minute.
    """

    DERIVED: ClassVar[tuple[str, ...]] = ("throttled_means",)

    governors: tuple[str, ...]
    mhz: tuple[int, ...]
    celsius: dict[str, float]
    throttled: int | None
    load: float

    @property
    def throttled_means(self) -> list[str]:
        """Return the firmware's bits in words."""
        return throttle_words(self.throttled or 0)


class Watch:
    """Looks at the machine before, during and after a run."""

    def __init__(self) -> None:
        self._before = self._after = read_conditions()
        self._seen = (self._before.throttled or 0) & _NOW
        self._busy = others_seconds()
        self._others = 0.0

    def look(self) -> None:
        """Look again: after every round, and at the end."""
        self._after = read_conditions()
        bits = self._after.throttled or 0
        new = bits & ~(self._before.throttled or 0)
        self._seen |= bits & _NOW | new >> _SINCE_START
        busy, wall = (now - then for now, then in zip(others_seconds(), self._busy, strict=True))
        self._others = max(0.0, busy / wall) if wall > 0 else 0.0

    def to_dict(self) -> dict[str, Any]:
        """The state before and after; and during it, what throttled and the cores others used."""
        return {
            "before": to_plain(self._before),
            "after": to_plain(self._after),
            "throttled_during": throttle_words(self._seen),
            "cores_used_by_others": round(self._others, 2),
        }

    def warnings(self) -> tuple[str, ...]:
        """What speaks against the figures, in one line each."""
        found = []
        other = [each for each in self._after.governors if each != "performance"]
        if other:
            found.append(
                f"the processor's clock follows the governor {', '.join(other)}: write performance "
                f"into {_GOVERNORS} for figures that repeat"
            )
        if self._seen:
            found.append(
                f"the board was held back during the run: {', '.join(throttle_words(self._seen))}"
            )
        if self._others > _BUSY:
            found.append(
                f"other processes used {self._others:.1f} cores during the run: times and "
                "intervals are larger than they would be alone"
            )
        return tuple(found)


_NOW = sum(1 << bit for bit in _MEANINGS)


def read_conditions() -> Conditions:
    """Look at the machine; what the system does not tell is left out."""
    zones = {_read(f"{zone}/type"): _number(_read(f"{zone}/temp")) for zone in _found(_ZONES)}
    clocks = [_number(_read(path)) for path in _found(_CLOCKS)]
    return Conditions(
        governors=tuple(dict.fromkeys(filter(None, map(_read, _found(_GOVERNORS))))),
        mhz=tuple(round(khz / 1000) for khz in clocks if khz is not None),
        celsius={name: value / 1000 for name, value in zones.items() if name and value is not None},
        throttled=_throttled(),
        load=os.getloadavg()[0],
    )


def throttle_words(bits: int) -> list[str]:
    """What a Raspberry Pi's ``get_throttled`` means, in words; see `_MEANINGS`."""
    now = [word for bit, word in _MEANINGS.items() if bits >> bit & 1]
    past = [
        f"{word} since it was started"
        for bit, word in _MEANINGS.items()
        if bits >> (bit + _SINCE_START) & 1 and not bits >> bit & 1
    ]
    return now + past


def others_seconds() -> tuple[float, float]:
    """Processor seconds that others have used so far, on all cores; and the clock."""
    own = os.times()
    ours = own.user + own.system + own.children_user + own.children_system
    fields = _read(_STAT).partition("\n")[0].split()[1:]
    ticks = list(map(int, fields)) if len(fields) >= 8 else [0] * 8
    user, nice, system, _idle, _iowait, irq, softirq, steal = ticks[:8]  # proc(5)
    all_busy = (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
    return all_busy - ours, own.elapsed


def _throttled() -> int | None:
    """The firmware's bits, from the kernel or else from the Pi's own tool."""
    text = next((_read(path) for path in _found(_THROTTLED)), "")
    try:
        if not text:
            done = subprocess.run(_VCGENCMD, capture_output=True, text=True, check=False)
            text = done.stdout.strip().rpartition("=")[2]  # throttled=0x50005
        return int(text, 16)
    except (OSError, ValueError):
        return None


def _found(pattern: str) -> list[str]:
    return sorted(glob.glob(pattern))  # noqa: PTH207


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:  # noqa: PTH123
            return stream.read().strip()
    except OSError:
        return ""


def _number(text: str) -> int | None:
    return int(text) if text.lstrip("-").isdecimal() else None
