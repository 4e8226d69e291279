"""``python3 NAME.pyz COMMAND``: argparse alone, one line per error.

A further subcommand is one entry in `_build_parser` and one function that imports its module.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from edgeemo.bundle.device.contents import Contents
from edgeemo.bundle.device.faces import detector_package
from edgeemo.bundle.device.fallback import (
    run_guarded_with_fallback,
    use_fallback_if_not_installed,
)
from edgeemo.bundle.device.packed import LIVE_MODULES, SERVE_MODULES, import_packed
from edgeemo.bundle.device.requirements import require
from edgeemo.imaging.limits import MAX_DEVICE_BYTES, ROOM
from edgeemo.model.signature import require_signature
from edgeemo.runtime.argparse_cli import (
    FixedWidthFormatter,
    add_face_options,
    add_prediction_options,
    parse_count,
)
from edgeemo.runtime.fast_start import start_fast
from edgeemo.utils.command import prepare_streams, run_command
from edgeemo.utils.redirect import drop_image_warnings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def main(archive: str, arguments: Sequence[str] | None = None) -> int:
    """Run the command line of a bundle.

    Args:
        archive: Path of the bundle.
        arguments: Arguments after the bundle's name; by default those of the process.

    Returns:
        Exit status: 0; 1 after an error; 3 if the self-test found a difference; 130 after Ctrl-C,
        143 after SIGTERM. Wrong usage ends the process with 2.
    """
    prepare_streams()
    drop_image_warnings()
    start_fast()
    return run_command(lambda: _work(archive, arguments))


def _work(archive: str, arguments: Sequence[str] | None) -> int:
    words = sys.argv[1:] if arguments is None else arguments
    options = _build_parser(archive, words).parse_args(words)
    run = _run_guarded if options.guarded else _run
    return run(options, _open(archive))


def _open(archive: str) -> Contents:
    """Open the bundle, if it is signed as this machine requires.

    A changed bundle would not ask; ``edgeemo verify-signature`` is what proves it.
    """
    require_signature(archive)
    return Contents(archive)


def _run(options: argparse.Namespace, contents: Contents) -> int:
    """Run the subcommand, in the memory of a device."""
    ROOM.max_bytes = MAX_DEVICE_BYTES
    status: int = options.run(options, contents)
    return status


def _run_guarded(options: argparse.Namespace, contents: Contents) -> int:
    """Run the subcommand in a process of its own, which an engine may crash."""

    def work(before_first: Callable[[], None]) -> int:
        options.before_first = before_first
        return run_command(lambda: _run(options, contents))

    return run_guarded_with_fallback(contents, work)


def _build_parser(archive: str, words: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python3 {os.path.basename(archive)}",  # noqa: PTH119
        description="A classifier with golden images and a self-test, in one file.",
        formatter_class=FixedWidthFormatter,
    )
    commands = parser.add_subparsers(prog=parser.prog, metavar="COMMAND", required=True)
    selftest = _add(
        commands, "selftest", _selftest, "compare this machine's outputs with the workstation's"
    )
    predict = _add(commands, "predict", _predict, "predict images")
    add_prediction_options(predict)
    add_face_options(predict)
    _add_serve(commands, archive if "serve" in words else None)
    _add_live(commands, archive if "live" in words else None)
    _add_bench(commands)
    _add(commands, "info", _info, "show the contents")
    for command in (selftest, predict):
        command.set_defaults(guarded=True)
        command.add_argument(
            "--threads", type=parse_count, help="threads per prediction (as bundled)"
        )
    return parser


def _add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace, Contents], int],
    help: str,
    *,
    json: bool = True,
) -> argparse.ArgumentParser:
    description = f"{help[0].upper()}{help[1:]}"
    command = commands.add_parser(
        name, help=help, description=description, formatter_class=FixedWidthFormatter
    )
    if json:
        command.add_argument("--json", action="store_true", help="print JSON and nothing else")
    command.set_defaults(run=run, guarded=False)
    return command


def _add_live(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], archive: str | None
) -> None:
    """Add ``live``, whose options are imported, from the bundle, where it is called."""
    live = _add(commands, "live", _live, "predict the frames of a camera or a video", json=False)
    live.set_defaults(guarded=True)
    if archive is not None:
        import_packed(archive, LIVE_MODULES)
        from edgeemo.bundle.device.live import add_options

        add_options(live)


def _add_serve(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], archive: str | None
) -> None:
    """Add ``serve`` in the same way."""
    summary = "serve a page with the live image, and predictions over HTTP"
    serve = _add(commands, "serve", _serve, summary, json=False)
    serve.set_defaults(guarded=True)
    if archive is not None:
        import_packed(archive, LIVE_MODULES, SERVE_MODULES)
        from edgeemo.bundle.device.serve import add_options

        add_options(serve)


def _add_bench(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    bench = _add(commands, "bench", _bench, "measure speed and memory on this machine")
    bench.add_argument("files", nargs="*", help="more .tflite and .onnx files to measure")
    bench.add_argument(
        "--threads", metavar="1,2,4", help="threads per prediction to try (1, and all cores)"
    )
    bench.add_argument("--image", help="image file or folder to predict (a drawn one)")
    bench.add_argument(
        "--seconds", type=parse_count, default=30, help="time limit per file and threads (30)"
    )
    add_face_options(bench)
    worker = commands.add_parser("bench-worker")  # without help, so it is not listed
    worker.add_argument("request")
    worker.set_defaults(run=_bench_worker, guarded=False)


def _selftest(options: argparse.Namespace, contents: Contents) -> int:
    _prepare(contents)
    from edgeemo.bundle.device.selftest import run

    return run(contents, threads=options.threads, json=options.json)


def _predict(options: argparse.Namespace, contents: Contents) -> int:
    _prepare(contents, faces=options.faces)
    from edgeemo.bundle.device.predict import run

    return run(
        contents,
        options.images,
        threads=options.threads,
        workers=options.workers,
        faces=options.faces,
        json=options.json,
        before_first=options.before_first,
    )


def _live(options: argparse.Namespace, contents: Contents) -> int:
    from edgeemo.bundle.device.live import merge, run

    merged = merge(options)
    _prepare(contents, faces=merged.faces)
    return run(contents, merged, before_first=options.before_first)


def _serve(options: argparse.Namespace, contents: Contents) -> int:
    from edgeemo.bundle.device.serve import merge, run

    merged = merge(options)
    _prepare(contents, faces=merged.faces)
    return run(contents, merged, before_first=options.before_first)


def _bench(options: argparse.Namespace, contents: Contents) -> int:
    _prepare(contents, faces=options.faces)
    from edgeemo.bundle.device.bench import run

    return run(
        contents,
        options.files,
        threads=options.threads,
        image=options.image,
        seconds=options.seconds,
        faces=options.faces,
        json=options.json,
    )


def _bench_worker(options: argparse.Namespace, contents: Contents) -> int:
    from edgeemo.bundle.device.bench_worker import run

    return run(contents, options.request)


def _info(options: argparse.Namespace, contents: Contents) -> int:
    from edgeemo.bundle.device.info import run

    return run(contents, json=options.json)


def _prepare(contents: Contents, *, faces: bool | None = None) -> None:
    """Check that the packages of a prediction are installed."""
    use_fallback_if_not_installed(contents)
    manifest = contents.manifest
    require(
        manifest.engine,
        versions=manifest.built_with,
        archive=contents.archive,
        detector=detector_package(manifest.detector) if faces is not False else "",
    )
