"""The command ``edgeemo`` as Typer runs it, and how wrong usage ends it."""

from __future__ import annotations

from typing import Annotated

import typer

from edgeemo import __version__
from edgeemo.cli.lazy import group
from edgeemo.cli.output.console import say
from edgeemo.cli.plain import COMMANDS, PACKAGE
from edgeemo.errors import EXIT_INTERRUPTED, EXIT_OK, EXIT_USAGE
from edgeemo.utils.interrupt import interrupt_status

app = group(
    "edgeemo",
    "From a folder of faces to a verified happy/sad classifier on a Raspberry Pi.",
    COMMANDS,
    package=PACKAGE,
    add_completion=True,
)


def run_app() -> int:
    """Run the command line of the process; return the exit status."""
    from edgeemo.cli.options.usage import UsageError, describe_usage

    try:
        status = app(prog_name="edgeemo", standalone_mode=False)
    except UsageError as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            error.show()
        else:
            say(f"error: {describe_usage(error)}")
        return EXIT_USAGE
    if status == EXIT_INTERRUPTED:  # which Typer makes of any KeyboardInterrupt
        return interrupt_status()
    return status if isinstance(status, int) else EXIT_OK


def _print_version(requested: bool) -> None:
    if requested:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            "-V",
            help="Print the version and exit.",
            is_eager=True,
            callback=_print_version,
        ),
    ] = False,
) -> None:
    pass
