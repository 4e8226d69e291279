"""``python3 NAME.pyz bench``: the file inside, and others, measured where they are to run."""

from __future__ import annotations

import sys
from dataclasses import replace
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.bench import table
from edgeemo.bench.candidates import ExportedFile, accuracy_of, exported_files, thread_counts
from edgeemo.bench.run import run_benchmark
from edgeemo.bundle.device.contents import PHOTO
from edgeemo.bundle.device.faces import select_faces
from edgeemo.bundle.device.load import path_inside, sealed_model
from edgeemo.errors import BenchError

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
    """Measure and print.

    Args:
        contents: The bundle.
        files: Exported files beside the one inside and its fallback.
        threads: Numbers of threads, as in "1,2,4"; by default 1 and as many as there are cores.
        image: An image file or a folder of them; None for the golden photo where faces are
            found, else for a drawn camera frame.
        seconds: The longest that one candidate's answers are timed.
        faces: Whether to find faces; by default as the manifest says.
        json: Whether to print one JSON object, which ``edgeemo bench --from`` takes.

    Returns:
        Exit status: 0, or 1 where a file could not be used or crashed.

    Raises:
        BenchError: If `threads` is no such list, or nothing could be measured.
        ImageError: If an image cannot be read.
    """
    try:
        counts = thread_counts(threads)
    except ValueError as error:
        raise BenchError(f"--threads: {error}") from None
    if not sys.executable:
        raise BenchError("cannot tell which Python runs this; name it by its whole path")
    settings = select_faces(contents, sealed_model(contents).spec.faces, enabled=faces)
    inside = _inside(contents, settings)
    known = {file.sha256 for file in inside}
    others = exported_files([Path(name) for name in files])
    report = run_benchmark(
        [*inside, *(replace(each, faces=settings) for each in others if each.sha256 not in known)],
        command=(sys.executable, contents.archive, "bench-worker"),
        threads=counts,
        image=image,
        seconds=seconds,
        progress=_Lines(),
        photo=_photo(contents) if faces is not False else None,
    )
    sys.stdout.write((dumps(report.to_dict(), indent=1) if json else text(report)) + "\n")
    for line in report.warnings:
        sys.stderr.write(f"warning: {line}\n")
    if not report.measured:
        raise BenchError("nothing could be measured")
    return int(report.has_troubles)


def _inside(contents: Contents, settings: FaceSettings | None) -> list[ExportedFile]:
    """Return the bundle's file, and its fallback if there is one, with the same face settings."""
    manifests = [contents.manifest, contents.manifest.fallback]
    return [
        ExportedFile(
            name=each.model,
            path=path_inside(contents, each),
            sha256=each.model_sha256,
            size_bytes=len(contents.member(each.model)),
            verified=each.verified,
            accuracy=accuracy_of(each.verification),
            faces=settings,
        )
        for each in manifests
        if each
    ]


def _photo(contents: Contents) -> bytes | None:
    """The golden photo, where there is one."""
    golden = [each.file for each in contents.manifest.golden]
    return contents.member(PHOTO) if PHOTO in golden else None


def text(report: BenchmarkReport) -> str:
    """A report as a device shows it: facts, tables, notes."""
    facts = table.facts(report)
    lines = [f"{name:<14}{fact}" for name, fact in facts.items()]
    lines += ["", *table.plain_table(table.HEADER, table.rows(report), numbers_from=2)]
    if report.measured:
        lines += ["", table.WARM_TITLE]
        lines += table.plain_table(table.warm_header(report), table.warm_rows(report))
        lines += ["", table.COLD_TITLE]
        lines += table.plain_table(table.COLD_HEADER, table.cold_rows(report))
    return "\n".join([*lines, "", *table.notes(report)])


class _Lines:
    """An `edgeemo.utils.progress.Progress` of one line per stage, on standard error."""

    def stage(self, name: str, *, total: int | None = None) -> None:
        sys.stderr.write(f"{name} ...\n")

    def advance(self, steps: int = 1, *, detail: str = "") -> None:
        """Do nothing."""

    def note(self, text: str) -> None:
        sys.stderr.write(f"{text}\n")
