"""The options --quiet and --verbose as Typer has them, of every command and group."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from edgeemo.cli.help import Page

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


def read_verbosity(ctx: Any) -> tuple[bool, bool]:
    """Return whether --quiet and whether --verbose was given.

    Args:
        ctx: The context of the command line.

    Raises:
        typer.BadParameter: If both were given.
    """
    chosen = ctx.meta.get(_CHOSEN, set())
    if len(chosen) > 1:
        raise typer.BadParameter("--quiet excludes --verbose")
    return "quiet" in chosen, "verbose" in chosen
