"""Temperature and throttling of this machine, from where Linux and a Raspberry Pi's firmware tell.

Standard library only.
"""

from __future__ import annotations

import glob

_ZONES = "/sys/class/thermal/thermal_zone*"
_THROTTLED = "/sys/devices/platform/soc*/*firmware*/get_throttled"
_VCGENCMD = ("vcgencmd", "get_throttled")

_REASONS = {
    0: "undervoltage",
    1: "clock capped",
    2: "throttled",
    3: "soft temperature limit",
}
"""Bits of a Raspberry Pi's firmware for its present state; 16 higher, for any time since the board
was started. From "vcgencmd: get_throttled" in the Raspberry Pi documentation (Raspberry Pi OS). The
kernel's firmware driver shows the same number, hexadecimal, in sysfs."""

SINCE_START = 16
"""Number of bits by which a reason's bit for any time since the start is higher."""

PRESENT = sum(1 << bit for bit in _REASONS)
"""Bits of the present state."""


def read_temperatures() -> dict[str, float]:
    """Return the temperature of each thermal zone in °C, by the zone's type; empty if unknown."""
    zones = {_read(f"{zone}/type"): _read(f"{zone}/temp") for zone in sorted(glob.glob(_ZONES))}  # noqa: PTH207
    return {
        name: int(text) / 1000
        for name, text in zones.items()
        if name and text.lstrip("-").isdecimal()
    }


def read_throttled() -> int | None:
    """Return the firmware's bits, from the kernel or else from the Pi's own tool; None if unknown.

    A tool that takes longer than 2 seconds is not waited for.
    """
    told = read_firmware_bits()
    return _parse_bits(_ask_tool()) if told is None else told


def read_firmware_bits() -> int | None:
    """Return the firmware's bits from the kernel, at once; None if it does not tell."""
    return _parse_bits(next((_read(path) for path in sorted(glob.glob(_THROTTLED))), ""))  # noqa: PTH207


def describe_throttling(bits: int) -> list[str]:
    """Return a Raspberry Pi's ``get_throttled`` bits in words; see `_REASONS`."""
    now = [word for bit, word in _REASONS.items() if bits >> bit & 1]
    past = [
        f"{word} since it was started"
        for bit, word in _REASONS.items()
        if bits >> (bit + SINCE_START) & 1 and not bits >> bit & 1
    ]
    return now + past


def _parse_bits(text: str) -> int | None:
    try:
        return int(text, 16)
    except ValueError:
        return None


def _ask_tool() -> str:
    """Return what the tool tells, "" where there is none."""
    import subprocess

    try:
        done = subprocess.run(_VCGENCMD, capture_output=True, text=True, check=False, timeout=2)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip().rpartition("=")[2]  # throttled=0x50005


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:  # noqa: PTH123
            return stream.read().strip()
    except OSError:
        return ""
