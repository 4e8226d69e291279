"""The time of a prediction, from the ``bench.json`` beside an exported file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.bench.results import BenchmarkReport
from edgeemo.errors import BenchError
from edgeemo.evaluate.comparison_report import Latency
from edgeemo.model.folder import BENCH_JSON

if TYPE_CHECKING:
    from edgeemo.model.folder import ModelFolder


def read_latency(folder: ModelFolder, *, sha256: str, threads: int) -> Latency | None:
    """Return the measured time of a prediction; None where there is none of this very file.

    Args:
        folder: The folder of the file.
        sha256: SHA-256 of the file, hexadecimal.
        threads: Threads per prediction; where that was not measured, the fastest counts.
    """
    path = folder.file(BENCH_JSON)
    try:
        report = BenchmarkReport.from_json(path.read_bytes(), origin=str(path))
    except (OSError, BenchError):
        return None
    found = [each for each in report.measured if each.sha256 == sha256]
    if not found:
        return None
    best = min(found, key=lambda each: (each.threads != threads, each.median_ms))
    machine = report.machine.get("board") or report.machine.get("processor", "")
    return Latency(median_ms=best.median_ms, threads=best.threads, machine=machine)
