"""Use what another machine measured: a bundle's ``bench --json`` on the device."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edgeemo.bench.results import BenchmarkReport
from edgeemo.errors import BenchError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edgeemo.bench.candidates import ExportedFile


def read_report(path: Path) -> BenchmarkReport:
    """Read a report.

    Raises:
        BenchError: If it cannot be read or is none.
    """
    try:
        return BenchmarkReport.from_json(path.read_bytes(), origin=str(path))
    except OSError as error:
        raise BenchError(f"{path}: cannot be read: {error.strerror or error}") from None


def adopt(
    report: BenchmarkReport, files: Sequence[ExportedFile], *, origin: Path
) -> BenchmarkReport:
    """What a report says of these very files; whether they are verified is asked here.

    Args:
        report: Measured elsewhere.
        files: The files here.
        origin: The report's file, for messages.

    Returns:
        The report with the results of the files here, under their names here.

    Raises:
        BenchError: If it says nothing of any of them.
    """
    ours = {file.sha256: file for file in files if file.sha256}
    kept = tuple(
        replace(
            result,
            file=ours[result.sha256].name,
            verified=ours[result.sha256].verified,
            accuracy=ours[result.sha256].accuracy,
        )
        for result in report.results
        if result.sha256 in ours
    )
    if not kept:
        names = ", ".join(sorted({result.file for result in report.results})) or "nothing"
        raise BenchError(
            f"{origin}: measured {names}, and none of these bytes are here; measure the files of "
            "this model"
        )
    return replace(report, results=kept)
