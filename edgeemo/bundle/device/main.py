"""``python3 NAME.pyz selftest | predict | info``: argparse alone, one line per mistake.

A further verb is one entry in `_parser` and one function that imports what it needs.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from edgeemo.bundle.device.contents import Contents
from edgeemo.bundle.device.needs import require
from edgeemo.errors import EdgeEmoError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_INTERRUPTED = 130


class _Formatter(argparse.HelpFormatter):
    """Of a fixed width: to ask for the terminal's, argparse loads shutil at every start."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=80)


def main(archive: str, arguments: Sequence[str] | None = None) -> int:
    """Do what the command line of a bundle says.

    Args:
        archive: Path of the bundle.
        arguments: The words after the bundle's name; the process's own by default.

    Returns:
        Exit status: 0; 1 where something could not be used; 3 where the self-test found an answer
        that differs; 130 after Ctrl-C. Wrong usage ends the process with 2.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # print any file name
    options = _parser(os.path.basename(archive)).parse_args(arguments)  # noqa: PTH119
    if not options.guarded:
        return _do(options, archive)
    from edgeemo.bundle.device.guard import guarded

    try:
        return guarded(lambda: _do(options, archive))
    except EdgeEmoError as error:
        return _fail(str(error), error.exit_code)


def _do(options: argparse.Namespace, archive: str) -> int:
    """Run the verb; every error that is the user's to mend is one line on standard error."""
    try:
        status: int = options.run(options, Contents(archive))
        sys.stdout.flush()
    except EdgeEmoError as error:
        return _fail(str(error), error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or the interpreter complains at its exit
        return 1
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is left to print failed once already
        place = f"{error.filename}: " if error.filename else ""
        return _fail(f"{place}{error.strerror or error}", 1)
    except MemoryError:
        return _fail("out of memory", 1)
    except KeyboardInterrupt:
        return _INTERRUPTED
    return status


def _parser(name: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python3 {name}",
        description="A classifier, its test pictures and their answers, in one file.",
        formatter_class=_Formatter,
    )
    verbs = parser.add_subparsers(prog=parser.prog, metavar="VERB", required=True)
    selftest = _add(
        verbs, "selftest", _selftest, "does this machine answer as the workstation did?"
    )
    selftest.set_defaults(guarded=True)
    predict = _add(verbs, "predict", _predict, "answer pictures")
    predict.add_argument("pictures", nargs="+", help="picture files, folders, or - for stdin")
    _add(verbs, "info", _info, "what is inside")
    for verb in (selftest, predict):
        verb.add_argument("--threads", type=_threads, default=1, help="threads per answer (1)")
    return parser


def _add(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace, Contents], int],
    help: str,
) -> argparse.ArgumentParser:
    description = f"{help[0].upper()}{help[1:]}"
    verb = verbs.add_parser(name, help=help, description=description, formatter_class=_Formatter)
    verb.add_argument("--json", action="store_true", help="print JSON and nothing else")
    verb.set_defaults(run=run, guarded=False)
    return verb


def _selftest(options: argparse.Namespace, contents: Contents) -> int:
    _require_packages(contents)
    from edgeemo.bundle.device.selftest import run

    return run(contents, threads=options.threads, json=options.json)


def _predict(options: argparse.Namespace, contents: Contents) -> int:
    _require_packages(contents)
    from edgeemo.bundle.device.predict import run

    return run(contents, options.pictures, threads=options.threads, json=options.json)


def _info(options: argparse.Namespace, contents: Contents) -> int:
    from edgeemo.bundle.device.info import run

    return run(contents, json=options.json)


def _require_packages(contents: Contents) -> None:
    manifest = contents.manifest
    require(manifest.engine, versions=manifest.built_with, archive=contents.archive)


def _threads(text: str) -> int:
    threads = int(text)
    if threads < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return threads


def _fail(message: str, status: int) -> int:
    sys.stderr.write(f"error: {message}\n")
    return status
