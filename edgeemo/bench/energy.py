"""Energy of a machine while it predicts, where the board tells it.

Two sources: the counters of the processor's packages (RAPL, x86-64; since Linux 5.10 for root
alone), and the currents and voltages of a Raspberry Pi 5's regulators (``vcgencmd pmic_read_adc``),
whose sum is less than what the board takes: the 5 V of USB and what the regulators lose is missing.
"""

from __future__ import annotations

import glob
import os
import re
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeemo.bench.protocol import EnergySource

_PACKAGES = "/sys/class/powercap/intel-rapl:[0-9]*"
_PMIC = ("vcgencmd", "pmic_read_adc")
_READING = re.compile(r"(\w+)_([AV]) \w+\(\d+\)=([\d.]+)[AV]")
_INTERVAL_S = 0.1
_PATIENCE_S = 5


class EnergyMeter(Protocol):
    """Measures energy between two moments.

    Attributes:
        source: What it measures: the "processor" package, or the board's "regulators".
    """

    source: EnergySource

    def start(self) -> None:
        """Begin to measure."""

    def stop(self) -> float | None:
        """Return the joules since the start; None where nothing could be read."""


def find_meter() -> EnergyMeter | None:
    """Return the meter of this machine, or None where nothing tells its energy."""
    packages = [_Package(path) for path in sorted(glob.glob(_PACKAGES)) if path.count(":") == 1]  # noqa: PTH207
    if packages and all(each.read() is not None for each in packages):
        return PackageMeter(packages)
    return RegulatorMeter(read_watts) if read_watts() is not None else None


class PackageMeter:
    """The sum of the counters of the processor's packages.

    Args:
        packages: The packages.
    """

    source: EnergySource = "processor"

    def __init__(self, packages: list[_Package]) -> None:
        self._packages = packages
        self._begun: list[int | None] = []

    def start(self) -> None:
        """Begin to measure."""
        self._begun = [each.read() for each in self._packages]

    def stop(self) -> float | None:
        """Return the joules since the start; None where a counter cannot be read any more."""
        joules = 0.0
        for package, begun in zip(self._packages, self._begun, strict=True):
            now = package.read()
            if begun is None or now is None:
                return None
            joules += (now - begun if now >= begun else now - begun + package.largest) / 1e6
        return joules


class _Package:
    """The energy counter of a processor's package, in microjoules."""

    def __init__(self, path: str) -> None:
        self._counter = os.path.join(path, "energy_uj")  # noqa: PTH118
        self.largest = _read_number(os.path.join(path, "max_energy_range_uj")) or 0  # noqa: PTH118

    def read(self) -> int | None:
        """Return the counter, which begins again at 0 behind `largest`."""
        return _read_number(self._counter)


class RegulatorMeter:
    """The power of a board's regulators, read several times a second in a thread.

    Args:
        read: Returns the watts at this moment; None where they cannot be read.
    """

    source: EnergySource = "regulators"

    def __init__(self, read: Callable[[], float | None]) -> None:
        self._read = read
        self._end = threading.Event()
        self._watts: list[float] = []
        self._begun = 0.0
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to measure."""
        self._end.clear()
        self._watts = []
        self._begun = time.perf_counter()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def stop(self) -> float | None:
        """Return the mean of the watts times the seconds; None where nothing was read."""
        seconds = time.perf_counter() - self._begun
        self._end.set()
        if self._thread:
            self._thread.join(_PATIENCE_S)
        return seconds * sum(self._watts) / len(self._watts) if self._watts else None

    def _sample(self) -> None:
        while not self._end.is_set():
            watts = self._read()
            if watts is not None:
                self._watts.append(watts)
            self._end.wait(_INTERVAL_S)


def read_watts() -> float | None:
    """Return the power of a Raspberry Pi 5's regulators at this moment, in watts."""
    try:
        found = subprocess.run(
            _PMIC, capture_output=True, text=True, check=True, timeout=_PATIENCE_S
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return parse_watts(found.stdout)


def parse_watts(text: str) -> float | None:
    """Return the sum of current times voltage of every regulator that has both; None without any.

    Args:
        text: What ``vcgencmd pmic_read_adc`` prints: lines such as
            "3V3_SYS_A current(1)=0.0448A" and "3V3_SYS_V volt(9)=3.31V".
    """
    readings: dict[str, dict[str, float]] = {}
    for name, kind, value in _READING.findall(text):
        readings.setdefault(name, {})[kind] = float(value)
    both = [each["A"] * each["V"] for each in readings.values() if len(each) == 2]
    return sum(both) if both else None


def _read_number(path: str) -> int | None:
    try:
        with open(path, encoding="ascii") as stream:  # noqa: PTH123
            return int(stream.read())
    except (OSError, ValueError):
        return None
