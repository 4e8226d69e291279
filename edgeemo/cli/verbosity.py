"""The options --quiet and --verbose of every command, and what they change."""

from __future__ import annotations

import traceback
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edgeemo.cli.help import Page
from edgeemo.cli.output.console import be_quiet
from edgeemo.errors import EdgeEmoError
from edgeemo.utils.redirect import show_output
from edgeemo.utils.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

_CHOSEN = "edgeemo.verbosity"


def _record(ctx: Any, parameter: Any, value: bool) -> None:
    """Record a verbosity in what the contexts of a command line share."""
    if value:
        ctx.meta.setdefault(_CHOSEN, set()).add(parameter.name)


_HIDDEN: Any = {"callback": _record, "expose_value": False}


def _declare(
    quiet: Annotated[
        bool,
        typer.Option("-q", "--quiet", help="Print results, warnings and errors only.", **_HIDDEN),
    ] = False,
    verbose: Annotated[
        bool,
        typer.Option(
            "-v", "--verbose", help="Print library output and tracebacks, too.", **_HIDDEN
        ),
    ] = False,
) -> None:
    """Declare the options of verbosity for Typer."""


def _make_options() -> list[Any]:
    app = typer.Typer(add_completion=False)
    app.command()(_declare)
    return list(typer.main.get_command(app).params)


VERBOSITY = _make_options()
"""Options of every command and group, before the name of a subcommand or after it."""


class VerbositySwitch(Page):
    """Mix-in of commands and groups, which have the same options of verbosity."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters, the help option last."""
        base: Any = super()
        *own, help = base.get_params(ctx)
        return [*own, *VERBOSITY, help]

    def list_options(self, ctx: Any) -> list[tuple[str, str]]:
        """Return the name and the help of each option."""
        records = [each.get_help_record(ctx) for each in self.get_params(ctx)]
        return [record for record in records if record]


def call_function(function: Callable[[Any], None], given: Any, ctx: Any) -> None:
    """Call the function of a command with the verbosity that was chosen.

    Args:
        function: What the command does.
        given: Its argument.
        ctx: The context of the command line.

    Raises:
        typer.BadParameter: If --quiet and --verbose were both given.
        EdgeEmoError: From the function, or in place of an error that is a fault of edgeemo.
    """
    chosen = ctx.meta.get(_CHOSEN, set())
    if len(chosen) > 1:
        raise typer.BadParameter("--quiet excludes --verbose")
    is_verbose = "verbose" in chosen
    with be_quiet("quiet" in chosen), show_output() if is_verbose else nullcontext():
        try:
            function(given)
        except (typer.Exit, typer.Abort, typer.BadParameter, BrokenPipeError):
            raise
        except Exception as error:
            if is_verbose:
                traceback.print_exc()
            if isinstance(error, EdgeEmoError | OSError | MemoryError):
                raise
            raise EdgeEmoError(_describe_fault(error)) from error


def _describe_fault(error: Exception) -> str:
    what = f"{type(error).__name__}: {one_line(error)}"
    return f"internal error ({what}); please report it with the output of --verbose"
