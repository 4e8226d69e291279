"""Processor time and memory of this process and all that descend from it, by their roles."""

from __future__ import annotations

import ctypes
import os
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of prctl(2)

ROLES = {
    "edgeemo.bulk.isolated": "child of a worker",
    "edgeemo.utils.child": "process that is connected to Ray",
    "ray::": "worker of Ray",
    "/ray/": "Ray itself",
}
"""Parts of command lines, and the roles of their processes."""
THIS = "the command"


def adopt_orphans() -> None:
    """Become the parent of what orphaned descendants leave, so that their time is counted."""
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)


def measure_cpu() -> float:
    """Return the processor time in seconds of the tree, ended processes included.

    Workers that Ray has ended do not count: it does not wait for them.
    """
    stats = _read_stats()
    return sum(sum(stats[pid][1]) for pid in _walk(stats)) / _TICKS


def measure_mb() -> dict[str, list[float]]:
    """Return the proportional memory (PSS) in MB of each process of the tree, by role."""
    found = defaultdict(list)
    for pid in _walk(_read_stats()):
        with suppress(OSError):
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            pss = sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
            found[_find_role(pid)].append(pss / 1e3)
    return found


def _find_role(pid: int) -> str:
    if pid == os.getpid():
        return THIS
    command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    return next((role for text, role in ROLES.items() if text in command), "other")


def _read_stats() -> dict[int, tuple[int, list[int]]]:
    """Return parent and ticks of all processes: their own and those of ended children."""
    stats = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            stats[int(folder.name)] = int(fields[1]), [int(text) for text in fields[11:15]]
    return stats


def _walk(stats: dict[int, tuple[int, list[int]]]) -> list[int]:
    children = defaultdict(list)
    for pid, (parent, _) in stats.items():
        children[parent].append(pid)
    found, waiting = [], [os.getpid()]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += children[pid]
    return found
