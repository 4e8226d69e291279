"""``python3 NAME.pyz selftest | predict | bench | info``: argparse alone, one line per mistake.

A further verb is one entry in `_parser` and one function that imports what it needs.
"""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from edgeemo.bundle.device.contents import Contents
from edgeemo.bundle.device.faces import detector_package
from edgeemo.bundle.device.fallback import (
    run_guarded_with_fallback,
    use_fallback_if_not_installed,
)
from edgeemo.bundle.device.requirements import require
from edgeemo.runtime.argparse_cli import (
    FixedWidthFormatter,
    add_face_options,
    add_prediction_options,
    at_least_one,
)
from edgeemo.runtime.fast_start import start_fast
from edgeemo.utils.command import accept_any_file_name, run_command

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def main(archive: str, arguments: Sequence[str] | None = None) -> int:
    """Do what the command line of a bundle says.

    Args:
        archive: Path of the bundle.
        arguments: The words after the bundle's name; the process's own by default.

    Returns:
        Exit status: 0; 1 where something could not be used; 3 where the self-test found an answer
        that differs; 130 after Ctrl-C. Wrong usage ends the process with 2.
    """
    accept_any_file_name()
    start_fast()
    options = _parser(os.path.basename(archive)).parse_args(arguments)  # noqa: PTH119
    do = _do_guarded if options.guarded else _do
    return run_command(lambda: do(options, Contents(archive)))


def _do(options: argparse.Namespace, contents: Contents) -> int:
    """Run the verb."""
    status: int = options.run(options, contents)
    return status


def _do_guarded(options: argparse.Namespace, contents: Contents) -> int:
    """Run the verb in a process of its own, which an engine may crash."""

    def work(before_first_answer: Callable[[], None]) -> int:
        options.before_first_answer = before_first_answer
        return run_command(lambda: _do(options, contents))

    return run_guarded_with_fallback(contents, work)


def _parser(name: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python3 {name}",
        description="A classifier, its test images and their answers, in one file.",
        formatter_class=FixedWidthFormatter,
    )
    verbs = parser.add_subparsers(prog=parser.prog, metavar="VERB", required=True)
    selftest = _add(
        verbs, "selftest", _selftest, "does this machine answer as the workstation did?"
    )
    predict = _add(verbs, "predict", _predict, "answer images")
    add_prediction_options(predict)
    add_face_options(predict)
    _add_bench(verbs)
    _add(verbs, "info", _info, "what is inside")
    for verb in (selftest, predict):
        verb.set_defaults(guarded=True)
        verb.add_argument("--threads", type=at_least_one, help="threads per answer (as bundled)")
    return parser


def _add(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace, Contents], int],
    help: str,
) -> argparse.ArgumentParser:
    description = f"{help[0].upper()}{help[1:]}"
    verb = verbs.add_parser(
        name, help=help, description=description, formatter_class=FixedWidthFormatter
    )
    verb.add_argument("--json", action="store_true", help="print JSON and nothing else")
    verb.set_defaults(run=run, guarded=False)
    return verb


def _add_bench(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    bench = _add(verbs, "bench", _bench, "how fast is it here, with how many threads?")
    bench.add_argument("files", nargs="*", help="other .tflite and .onnx files to measure, too")
    bench.add_argument(
        "--threads", metavar="1,2,4", help="threads per answer to try (1, and all cores)"
    )
    bench.add_argument("--image", help="what to answer: a file or a folder (a drawn one)")
    bench.add_argument(
        "--seconds", type=at_least_one, default=30, help="per file and threads, at most (30)"
    )
    add_face_options(bench)
    worker = verbs.add_parser("bench-worker")  # without help, so it is not listed
    worker.add_argument("job")
    worker.set_defaults(run=_work, guarded=False)


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
        before_first=options.before_first_answer,
    )


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


def _work(options: argparse.Namespace, contents: Contents) -> int:
    from edgeemo.bundle.device.bench_worker import run

    return run(contents, options.job)


def _info(options: argparse.Namespace, contents: Contents) -> int:
    from edgeemo.bundle.device.info import run

    return run(contents, json=options.json)


def _prepare(contents: Contents, *, faces: bool | None = None) -> None:
    """See to it that what gives the answers is installed."""
    use_fallback_if_not_installed(contents)
    manifest = contents.manifest
    require(
        manifest.engine,
        versions=manifest.built_with,
        archive=contents.archive,
        finder=detector_package(manifest.detector) if faces is not False else "",
    )
