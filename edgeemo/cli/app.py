"""The command ``edgeemo``: its commands, and how each error ends it."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from edgeemo import __version__
from edgeemo.cli.commands import (
    bench,
    bundle,
    data,
    export,
    info,
    predict,
    recipes,
    train,
    tune,
    verify,
)
from edgeemo.cli.output.console import say
from edgeemo.errors import EXIT_ERROR, EdgeEmoError

app = typer.Typer(
    name="edgeemo",
    help="From a folder of faces to a verified happy/sad classifier on a Raspberry Pi.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (train, tune, recipes, export, verify, predict, info, bench, bundle, data):
    command.register(app)


def main() -> None:
    """Run the command line; every error that is the user's to mend is one line on standard error.

    Exit status: 0 fine, 1 an error, 2 wrong usage, 3 a gate failed, 130 Ctrl-C.
    """
    _accept_any_file_name()
    try:
        app(standalone_mode=True)
    except EdgeEmoError as error:
        _fail(str(error), error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or the interpreter complains at its exit
        sys.exit(EXIT_ERROR)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is left to print failed once already
        place = f"{error.filename}: " if error.filename else ""
        _fail(f"{place}{error.strerror or error}", EXIT_ERROR)
    except MemoryError:
        _fail("out of memory; try a smaller --size or --batch-size", EXIT_ERROR)


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True)
    ] = False,
) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


def _fail(message: str, status: int) -> None:
    say(f"error: {message}")
    sys.exit(status)


def _accept_any_file_name() -> None:
    """Print names that are not valid UTF-8 instead of failing on them."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    main()
