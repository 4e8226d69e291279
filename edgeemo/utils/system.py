"""What machine this is, in words, from where Linux tells. Missing facts are left out.

Standard library only; `versions` looks at packages that are imported anyway.
"""

from __future__ import annotations

import os
import sys

_CPUINFO = "/proc/cpuinfo"
_MEMINFO = "/proc/meminfo"
_BOARD = "/proc/device-tree/model"
_OS_RELEASE = "/etc/os-release"

_ARM_PARTS = {
    "0xd03": "Cortex-A53",
    "0xd04": "Cortex-A35",
    "0xd05": "Cortex-A55",
    "0xd07": "Cortex-A57",
    "0xd08": "Cortex-A72",
    "0xd09": "Cortex-A73",
    "0xd0a": "Cortex-A75",
    "0xd0b": "Cortex-A76",
    "0xd0c": "Neoverse-N1",
    "0xd40": "Neoverse-V1",
    "0xd41": "Cortex-A78",
}
"""``CPU part`` in /proc/cpuinfo, from Arm's technical reference manuals (MIDR_EL1)."""


def describe_machine() -> dict[str, str]:
    """Return board, processor, cores, architecture, system and Python version."""
    cpu = _pairs(_read(_CPUINFO), ":")
    part = cpu.get("CPU part", "")
    bits = 64 if sys.maxsize > 2**32 else 32
    facts = {
        "board": _read(_BOARD).strip("\0 \n") or cpu.get("Model", ""),
        "processor": cpu.get("model name") or _ARM_PARTS.get(part, part),
        "cores": str(os.cpu_count() or ""),
        "architecture": f"{machine_name() or 'unknown'}, {bits}-bit Python",
        "system": _pairs(_read(_OS_RELEASE), "=").get("PRETTY_NAME", "").strip('"'),
        "python": ".".join(map(str, sys.version_info[:3])),
    }
    return {name: value for name, value in facts.items() if value}


def machine_name() -> str:
    """Return the name of the processor's architecture, such as "aarch64"."""
    if hasattr(os, "uname"):
        return os.uname().machine
    return os.environ.get("PROCESSOR_ARCHITECTURE", "")  # Windows


def host_name() -> str:
    """Return the machine's name in its network."""
    if hasattr(os, "uname"):
        return os.uname().nodename
    return os.environ.get("COMPUTERNAME", "")  # Windows


def usable_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def read_memory_bytes() -> tuple[int, int]:
    """Return the machine's memory and what of it is available; 0 where Linux does not tell."""
    facts = _pairs(_read(_MEMINFO), ":")
    total, available = (facts.get(name, "0").split()[0] for name in ("MemTotal", "MemAvailable"))
    return int(total) * 1024, int(available) * 1024


def versions(engine: str) -> dict[str, str]:
    """Versions of what decides the answers: numpy, Pillow, its JPEG library, and the engine.

    Args:
        engine: The engine's package and version, as `edgeemo.engines.base.Engine.name` gives it.
    """
    import numpy as np
    import PIL
    from PIL import features

    package, _, version = engine.partition(" ")
    found = {
        "numpy": np.__version__,
        "pillow": PIL.__version__,
        "libjpeg-turbo": features.version_feature("libjpeg_turbo"),
        package: version,
    }
    return {name: str(value) for name, value in found.items() if value}


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:  # noqa: PTH123
            return stream.read()
    except OSError:
        return ""


def _pairs(text: str, separator: str) -> dict[str, str]:
    """Lines of "name: value" as a dictionary; the first of a name counts."""
    pairs: dict[str, str] = {}
    for line in text.splitlines():
        name, found, value = line.partition(separator)
        if found:
            pairs.setdefault(name.strip(), value.strip())
    return pairs
