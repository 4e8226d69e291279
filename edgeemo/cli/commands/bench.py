"""``edgeemo bench``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgeemo.cli.options.common import Json  # noqa: TC001 - Typer reads it
from edgeemo.cli.options.faces import Faces  # noqa: TC001 - Typer reads it
from edgeemo.cli.output.bench import finish
from edgeemo.cli.output.console import EXAMPLES
from edgeemo.cli.output.progress import progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.bench import BenchmarkReport, CandidateFile
    from edgeemo.model.folder import ModelFolder

_EXAMPLES = f"""{EXAMPLES}  edgeemo bench
  edgeemo bench models/mine --threads 1,2,4 --compare models/mine/bench.json
  edgeemo bench --pick --max-p99-ms 50 --max-size-kb 4000
  ssh raspberrypi 'edgeemo/bin/python NAME.pyz bench --json *.tflite' > pi.json
  edgeemo bench models/mine --from pi.json --pick
"""

_SECONDS = 30.0  # that of edgeemo.bench.run, which is not imported to show the help


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("bench", epilog=_EXAMPLES)(bench)


def bench(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="MODEL|FILE...",
            help="Model folders, all of whose exported files are measured, or .tflite and .onnx "
            "files; by default the newest folder under models/, else happy-sad, the model that "
            "comes with edgeemo.",
        ),
    ] = None,
    threads: Annotated[
        str | None,
        typer.Option(
            metavar="1,2,4",
            help="Threads per answer to try with each file; by default 1, and as many as there "
            "are cores.",
        ),
    ] = None,
    image: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE|DIR",
            help="What to answer; of a folder the first 100 images. By default a drawn camera "
            "frame, 640x480, or a drawn photo with two faces where faces are found.",
        ),
    ] = None,
    seconds: Annotated[
        float,
        typer.Option(
            min=1,
            metavar="S",
            help="The longest that one candidate's answers are timed; it ends before that when "
            "the median is known within 2 %.",
        ),
    ] = _SECONDS,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Where to write bench.json and bench.png; by default into the model folder, for "
            "single files, happy-sad and with --from nowhere.",
        ),
    ] = None,
    compare: Annotated[
        Path | None,
        typer.Option(
            metavar="OLD.json", help="An earlier bench.json to set this measurement beside."
        ),
    ] = None,
    measured: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="MEASURED.json",
            help="Measure nothing: take what a bundle's 'bench --json' measured on the device.",
        ),
    ] = None,
    pick: Annotated[
        bool,
        typer.Option(
            "--pick",
            help="Make the fastest verified file, with its threads, the folder's default, which "
            "predict and bundle take.",
        ),
    ] = False,
    max_p99_ms: Annotated[
        float | None,
        typer.Option(min=0, metavar="MS", help="With --pick: 99 in 100 answers take no longer."),
    ] = None,
    max_size_kb: Annotated[
        float | None,
        typer.Option(min=0, metavar="KB", help="With --pick: largest file, in kB of 1000 bytes."),
    ] = None,
    max_rss_mb: Annotated[
        float | None,
        typer.Option(min=0, metavar="MB", help="With --pick: largest peak memory of the process."),
    ] = None,
    faces: Faces = None,
    json: Json = False,
) -> None:
    """Measure exported files here, and choose the fastest that fits.

    Every file is tried with several numbers of threads, and every such candidate runs in processes
    of its own, in turn with the others: cold start, then decode, find (a face, where faces are
    found), resize, invoke and the whole from an image's bytes to its label, images per second,
    memory. A file whose engine is not
    installed is listed as not run. Exit status 1 when a file cannot be used or crashed (the others
    are measured all the same), 3 when --pick finds none that fits.
    """
    from edgeemo.bench import SelectionLimits, read_report

    limits = SelectionLimits(max_p99_ms=max_p99_ms, max_size_kb=max_size_kb, max_rss_mb=max_rss_mb)
    counts = _thread_counts(threads)
    if measured and (threads or image or faces is not None):
        raise typer.BadParameter("measures nothing itself", param_hint="--from")
    asked = _asked(models, faces)
    if not pick and limits != SelectionLimits():
        raise typer.BadParameter("the limits choose a default: add --pick", param_hint="--max-...")
    if pick and asked.folder is None:
        raise typer.BadParameter(
            "needs one model folder of yours, for the default", param_hint="--pick"
        )
    old = read_report(compare) if compare else None
    keep = out or (asked.folder.path if asked.folder and measured is None else None)
    if keep:
        _try_to_write(keep, make=out is not None)
    report = _adopted(measured, asked) if measured else _measured(asked, counts, image, seconds)
    finish(
        report, old=old, pick_in=asked.folder if pick else None, limits=limits, keep=keep, json=json
    )


@dataclass(frozen=True)
class _Asked:
    """What is to be measured, and the one model folder it comes from, if it is one."""

    files: Sequence[CandidateFile]
    folder: ModelFolder | None


def _thread_counts(text: str | None) -> tuple[int, ...]:
    from edgeemo.bench import parse_threads

    try:
        return parse_threads(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--threads") from None


def _asked(models: Sequence[str] | None, faces: bool | None) -> _Asked:
    from edgeemo.bench import read_candidates
    from edgeemo.cli.default_model import model_to_answer
    from edgeemo.errors import ModelFolderError
    from edgeemo.model.face_settings import FaceRequest
    from edgeemo.model.folder import ModelFolder

    named: Sequence[Path | None] = [Path(name) for name in models or ()] or [None]
    paths = list(dict.fromkeys(model_to_answer(name) for name in named))
    files: list[Path] = []
    for path in paths:
        found = ModelFolder(path).exported() if path.is_dir() else [path]
        if not found:
            raise ModelFolderError(f"{path}: no exported model; run 'edgeemo export {path}'")
        files += found
    folder = ModelFolder(paths[0])
    one = len(paths) == 1 and folder.path.is_dir() and not folder.ships
    return _Asked(read_candidates(files, faces=FaceRequest(enabled=faces)), folder if one else None)


def _try_to_write(folder: Path, *, make: bool) -> None:
    """Find out before minutes of measuring that the outcome cannot be kept."""
    import tempfile

    from edgeemo.errors import BenchError

    try:
        if make:
            folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        reason = error.strerror or str(error)
        raise BenchError(
            f"{folder}: cannot be written to ({reason}); name another folder with --out"
        ) from None


def _adopted(path: Path, asked: _Asked) -> BenchmarkReport:
    from edgeemo.bench import match_files, read_report

    return match_files(read_report(path), asked.files, origin=path)


def _measured(
    asked: _Asked, threads: Sequence[int], image: Path | None, seconds: float
) -> BenchmarkReport:
    from edgeemo.bench import run_benchmark
    from edgeemo.bench.launch import WORKER_COMMAND

    photo = None if image else _photo(asked)
    with progress() as shown:
        return run_benchmark(
            asked.files,
            command=WORKER_COMMAND,
            threads=threads,
            image=str(image) if image else None,
            seconds=seconds,
            progress=shown,
            photo=photo,
        )


def _photo(asked: _Asked) -> bytes | None:
    """A drawn photo with faces, where a file finds them; None where it would find none there."""
    file = next((file for file in asked.files if file.faces), None)
    if file is None or file.faces is None:
        return None
    from edgeemo.bench import draw_detectable_photo
    from edgeemo.imaging.faces import build_detector
    from edgeemo.model.detector_file import find_detector_file

    file_beside = find_detector_file(file.faces, Path(file.path).parent)
    return draw_detectable_photo(build_detector(file.faces, file=file_beside))
