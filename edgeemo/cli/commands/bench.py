"""``edgeemo bench``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edgeemo.bench.selection import SelectionLimits
from edgeemo.cli.command import command
from edgeemo.cli.options.common import DEFAULT_MODEL, Json
from edgeemo.cli.output.bench import finish
from edgeemo.cli.output.progress import progress
from edgeemo.utils.options import Argument, Option, option_fields

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.bench import BenchmarkReport, CandidateFile
    from edgeemo.model.folder import ModelFolder

_measure = partial(Option, group="Measurement")
_choose = partial(Option, group="Default file of the folder")


@dataclass(frozen=True, kw_only=True)
class BenchArguments:
    """Options of ``edgeemo bench``."""

    models: Annotated[
        tuple[str, ...],
        Argument(
            "Model folders, all of whose exported files are measured, or .tflite and .onnx files; "
            f"{DEFAULT_MODEL}.",
            metavar="MODEL|FILE...",
        ),
    ] = ()
    out: Annotated[
        Path | None,
        Option(
            "Folder for bench.json and bench.png; of single files, happy-sad and with --from they "
            "are not written by default.",
            metavar="FOLDER",
            default="the model folder",
        ),
    ] = None
    compare: Annotated[
        Path | None, Option("Earlier bench.json to compare with.", metavar="OLD.json")
    ] = None
    json: Json = False
    threads: Annotated[
        tuple[int, ...],
        _measure(
            "Threads per prediction to try with each file.",
            metavar="1,2,4",
            default="1 and the number of cores",
            minimum=1,
        ),
    ] = ()
    image: Annotated[
        Path | None,
        _measure(
            "Image to predict; of a folder the first 100.",
            metavar="FILE|DIR",
            default="a drawn one, 640x480",
        ),
    ] = None
    seconds: Annotated[
        float,
        _measure(
            "Maximum time per candidate; it ends earlier when the median is known within 2 %.",
            metavar="S",
            minimum=1,
        ),
    ] = 30.0  # that of edgeemo.bench.run, which is not imported to show the help
    faces: Annotated[bool | None, _measure("Find faces.", default="as the model says")] = None
    measured: Annotated[
        Path | None,
        _measure(
            "Measure nothing: import what a bundle's 'bench --json' measured on the device.",
            flag="--from",
            metavar="MEASURED.json",
        ),
    ] = None
    pick: Annotated[
        bool,
        _choose(
            "Make the fastest verified file, with its threads, the folder's default, which predict "
            "and bundle take."
        ),
    ] = False
    limits: SelectionLimits


@command(
    "edgeemo bench",
    "edgeemo bench models/mine --threads 1,2,4 --compare models/mine/bench.json",
    "edgeemo bench --pick --max-p99-ms 50 --max-size-kb 4000",
    "ssh pi 'edgeemo/bin/python NAME.pyz bench --json *.tflite' > pi.json",
    "edgeemo bench models/mine --from pi.json --pick",
)
def bench(given: BenchArguments) -> None:
    """Measure exported files on this machine, and choose the fastest.

    Every file is tried with several numbers of threads, and every such candidate runs in processes
    of its own, in turn with the others: cold start, then decoding, face detection (where faces are
    found), resizing, inference and the whole from an image's bytes to its label, images per second,
    memory. A file whose engine is not installed is listed as not run; .onnx files are measured in
    OpenVINO as well where it is installed, for comparison. Exit status 1 when a file
    cannot be used or crashed (the others are measured all the same), 3 when --pick finds none
    within the limits.
    """
    from edgeemo.bench import read_report

    asked = _check(given)
    old = read_report(given.compare) if given.compare else None
    keep = given.out or (asked.folder.path if asked.folder and given.measured is None else None)
    if keep:
        _try_to_write(keep, make=given.out is not None)
    report = _adopted(given.measured, asked) if given.measured else _measured(asked, given)
    finish(
        report,
        old=old,
        pick_in=asked.folder if given.pick else None,
        limits=given.limits,
        keep=keep,
        json=given.json,
    )


def _check(given: BenchArguments) -> _Asked:
    """Return what is to be measured.

    Raises:
        typer.BadParameter: If options contradict each other.
    """
    measuring = _given(given, "threads", "image", "faces")
    if given.measured and measuring:
        raise typer.BadParameter(f"--from excludes {measuring}")
    limits = _given(given.limits, *option_fields(SelectionLimits))
    if limits and not given.pick:
        raise typer.BadParameter(f"{limits} requires --pick")
    asked = _asked(given.models, given.faces)
    if given.pick and asked.folder is None:
        raise typer.BadParameter("--pick requires one model folder of yours")
    return asked


def _given(options: Any, *names: str) -> str:
    """Return the flags of those options that are given, in a sentence."""
    cls: Any = type(options)
    fields = option_fields(cls)
    given = [name for name in names if getattr(options, name) != fields[name].default]
    return ", ".join(fields[name].flag for name in given)


@dataclass(frozen=True)
class _Asked:
    """What is to be measured, and the one model folder it comes from, if it is one."""

    files: Sequence[CandidateFile]
    folder: ModelFolder | None


def _asked(models: Sequence[str], faces: bool | None) -> _Asked:
    from edgeemo.bench import read_candidates
    from edgeemo.cli.default_model import choose_model
    from edgeemo.errors import ModelFolderError
    from edgeemo.model.face_request import FaceRequest
    from edgeemo.model.folder import ModelFolder

    named: Sequence[Path | None] = [Path(name) for name in models] or [None]
    # Of several a missing one is a row of the table, like one that cannot be used.
    check = len(named) == 1
    paths = list(dict.fromkeys(choose_model(name, check=check) for name in named))
    files: list[Path] = []
    for path in paths:
        found = ModelFolder(path).list_exported() if path.is_dir() else [path]
        if not found:
            raise ModelFolderError(f"{path}: no exported model; run 'edgeemo export {path}'")
        files += found
    folder = ModelFolder(paths[0])
    one = len(paths) == 1 and folder.path.is_dir() and not folder.is_shipped
    return _Asked(read_candidates(files, faces=FaceRequest(enabled=faces)), folder if one else None)


def _try_to_write(folder: Path, *, make: bool) -> None:
    """Find out before minutes of measuring that the outcome cannot be kept."""
    from edgeemo.errors import BenchError
    from edgeemo.utils.files import check_writable

    try:
        if make:
            folder.mkdir(parents=True, exist_ok=True)
        check_writable(folder)
    except OSError as error:
        reason = error.strerror or str(error)
        raise BenchError(
            f"{folder}: cannot be written to ({reason}); name another folder with --out"
        ) from None


def _adopted(path: Path, asked: _Asked) -> BenchmarkReport:
    from edgeemo.bench import match_files, read_report

    return match_files(read_report(path), asked.files, origin=path)


def _measured(asked: _Asked, given: BenchArguments) -> BenchmarkReport:
    from edgeemo.bench import add_openvino, parse_threads, run_benchmark
    from edgeemo.bench.launch import WORKER_COMMAND

    photo = None if given.image else _photo(asked)
    with progress() as shown:
        return run_benchmark(
            add_openvino(asked.files),
            command=WORKER_COMMAND,
            threads=tuple(dict.fromkeys(given.threads)) or parse_threads(None),
            image=str(given.image) if given.image else None,
            seconds=given.seconds,
            progress=shown,
            photo=photo,
        )


def _photo(asked: _Asked) -> bytes | None:
    """Return a drawn photo with faces, for a file that finds them; None for other files."""
    file = next((file for file in asked.files if file.faces), None)
    if file is None or file.faces is None:
        return None
    from edgeemo.bench import draw_detectable_photo
    from edgeemo.imaging.faces import build_detector
    from edgeemo.model.detector_file import find_detector_file

    file_beside = find_detector_file(file.faces, Path(file.path).parent)
    return draw_detectable_photo(build_detector(file.faces, file=file_beside))
