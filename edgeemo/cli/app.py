"""The command ``edgeemo``: its commands, and how each error ends it."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from edgeemo import __version__
from edgeemo.cli.lazy import group
from edgeemo.cli.output.console import say
from edgeemo.errors import EXIT_INTERRUPTED, EXIT_OK, EXIT_USAGE
from edgeemo.utils.command import prepare_streams, run_command
from edgeemo.utils.interrupt import interrupt_status
from edgeemo.utils.redirect import drop_image_warnings

app = group(
    "edgeemo",
    "From a folder of faces to a verified happy/sad classifier on a Raspberry Pi.",
    (
        "train",
        "tune",
        "recipes",
        "export",
        "adopt",
        "verify",
        "diagnose",
        "predict",
        "evaluate",
        "compare",
        "models",
        "info",
        "doctor",
        "bench",
        "bundle",
        "sign",
        "verify-signature",
        "data",
    ),
    package="edgeemo.cli.commands",
    add_completion=True,
)


def main() -> None:
    """Run the command line; an error that the user can mend is one line on standard error.

    Exit status: 0 fine, 1 an error, 2 wrong usage, 3 a gate failed, 130 Ctrl-C, 143 SIGTERM.
    """
    prepare_streams()
    drop_image_warnings()
    sys.exit(run_command(_run_app, memory_hint="try a smaller --size or --batch-size"))


def _run_app() -> int:
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


if __name__ == "__main__":
    main()
