"""Import a report from another machine: a bundle's ``bench --json`` on the device."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.bench.results import BenchmarkReport
from edgeemo.errors import BenchError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.bench.candidates import CandidateFile
    from edgeemo.utils.paths import StrPath


def read_report(path: StrPath) -> BenchmarkReport:
    """Read a report.

    Raises:
        BenchError: If it cannot be read or is not a report.
    """
    path = Path(path)
    try:
        return BenchmarkReport.from_json(path.read_bytes(), origin=str(path))
    except OSError as error:
        raise BenchError(f"{path}: cannot be read: {error.strerror or error}") from None


def match_files(
    report: BenchmarkReport, files: Sequence[CandidateFile], *, origin: StrPath
) -> BenchmarkReport:
    """Return the results of the files on this machine, matched by their SHA-256.

    Args:
        report: From another machine.
        files: The files on this machine; they decide the names, the accuracy, and whether the bytes
            are verified.
        origin: File of the report, for messages.

    Raises:
        BenchError: If the report has no result of any of the files.
    """
    origin = Path(origin)
    ours = {file.sha256: file for file in files if file.sha256}
    kept = tuple(
        replace(
            result,
            file=ours[result.sha256].name,
            verified=ours[result.sha256].verified,
            adopted=ours[result.sha256].adopted,
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
