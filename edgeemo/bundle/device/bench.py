"""``python3 NAME.pyz bench``: measure the files inside, and others, on the device."""

from __future__ import annotations

import sys
from dataclasses import replace
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.bench import table
from edgeemo.bench.candidates import (
    CandidateFile,
    estimate_accuracy,
    parse_threads,
    read_candidates,
)
from edgeemo.bench.run import run_benchmark
from edgeemo.bundle.device.contents import PHOTO
from edgeemo.bundle.device.faces import select_faces
from edgeemo.bundle.device.load import member_path, read_model
from edgeemo.errors import BenchError
from edgeemo.utils.command import write_error
from edgeemo.utils.layout import format_facts, format_table, get_width, wrap
from edgeemo.utils.serialize import to_plain
from edgeemo.utils.text import escape_controls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.bench.results import BenchmarkReport
    from edgeemo.bundle.device.contents import Contents
    from edgeemo.model.face_settings import FaceSettings


def run(
    contents: Contents,
    files: Sequence[str],
    *,
    threads: str | None,
    image: str | None,
    seconds: float,
    faces: bool | None,
    json: bool,
) -> int:
    """Measure files and print the report.

    Args:
        contents: The bundle; its file and its fallback are always measured.
        files: More exported files.
        threads: Numbers of threads, as in "1,2,4"; by default 1 and the number of cores.
        image: An image file or a folder of images; by default the golden photo if faces are
            detected, else a drawn camera frame.
        seconds: Time limit of one candidate's timed predictions.
        faces: Whether to detect faces; by default as in the manifest.
        json: Whether to print one JSON object, for ``edgeemo bench --from``.

    Returns:
        Exit status: 0, or 1 if a file could not be used or crashed.

    Raises:
        BenchError: If `threads` is not such a list, or nothing could be measured.
        ImageError: If an image cannot be read.
    """
    try:
        counts = parse_threads(threads)
    except ValueError as error:
        raise BenchError(f"--threads: {error}") from None
    if not sys.executable:
        raise BenchError("cannot tell which Python runs this; name it by its absolute path")
    settings = select_faces(contents, read_model(contents).spec.faces, enabled=faces)
    inside = _read_inside(contents, settings)
    known = {file.sha256 for file in inside}
    others = read_candidates([Path(name) for name in files])
    report = run_benchmark(
        [*inside, *(replace(each, faces=settings) for each in others if each.sha256 not in known)],
        command=(sys.executable, contents.archive, "bench-worker"),
        threads=counts,
        image=image,
        seconds=seconds,
        progress=_StageLines(),
        photo=_read_photo(contents) if faces is not False else None,
    )
    width = get_width(sys.stdout)
    text = dumps(to_plain(report), indent=1) if json else format_report(report, width=width)
    sys.stdout.writelines(f"{escape_controls(line)}\n" for line in text.split("\n"))
    for line in report.warnings:
        write_error(f"warning: {escape_controls(line)}")
    if not report.measured:
        raise BenchError("nothing could be measured")
    return int(report.has_failures)


def _read_inside(contents: Contents, settings: FaceSettings | None) -> list[CandidateFile]:
    """Return the bundle's file, and its fallback if there is one, with the same face settings."""
    manifests = [contents.manifest, contents.manifest.fallback]
    return [
        CandidateFile(
            name=each.model,
            path=member_path(contents, each),
            sha256=each.model_sha256,
            size_bytes=len(contents.member(each.model)),
            verified=each.verified,
            adopted=each.adopted,
            accuracy=estimate_accuracy(each.verified_file),
            faces=settings,
        )
        for each in manifests
        if each
    ]


def _read_photo(contents: Contents) -> bytes | None:
    """Return the golden photo, or None if there is none."""
    golden = [each.file for each in contents.manifest.golden]
    return contents.member(PHOTO) if PHOTO in golden else None


def format_report(report: BenchmarkReport, *, width: int | None = None) -> str:
    """Return a report as text for the device: facts, tables, notes.

    Args:
        report: The measurements.
        width: Maximum length of a line of a table; None for any.
    """
    lines = format_facts(table.describe_report(report), width=width)
    for each in table.build_tables(report):
        lines += ["", *wrap(each.title, width)]
        lines += format_table(each.columns, each.rows, width=width, numbers_from=each.numbers_from)
    return "\n".join([*lines, "", *table.list_failures(report), *table.build_notes(report)])


class _StageLines:
    """An `edgeemo.utils.progress.Progress` of one line per stage, on standard error."""

    def stage(self, name: str, *, total: int | None = None) -> None:
        write_error(f"{escape_controls(name)} ...")

    def advance(self, steps: int = 1, *, detail: str = "") -> None:
        """Do nothing."""

    def note(self, text: str) -> None:
        write_error(escape_controls(text))
