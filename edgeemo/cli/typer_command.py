"""A declared command as Typer's, which has its help, completion and messages about wrong usage."""

from __future__ import annotations

import inspect
import os
from dataclasses import MISSING
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand

from edgeemo.cli.command import ValueTypedError
from edgeemo.cli.help import OPTIONS, group_options, write_section
from edgeemo.cli.switches import VERBOSITY, VerbositySwitch, read_verbosity
from edgeemo.cli.verbosity import call_function
from edgeemo.utils.option_help import make_metavar
from edgeemo.utils.options import Argument

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edgeemo.cli.command import CommandFunction
    from edgeemo.utils.options import OptionField

SETTINGS = {"help_option_names": ["-h", "--help"]}
"""Settings of every command."""


def build_command(declared: CommandFunction, name: str) -> Any:
    """Return the Typer command of a declared one."""
    options = tuple(declared.list_options())
    lines = declared.examples

    class Command(_Command):
        declared = options
        examples = lines

    def run(ctx: typer.Context, **typed: Any) -> int | None:
        values = {name: value for name, value in typed.items() if value not in (None, [])}
        is_quiet, is_verbose = read_verbosity(ctx)
        try:
            given = declared.collect(values)
        except ValueTypedError as error:
            raise _make_usage_error(error) from None
        return call_function(declared.function, given, is_quiet=is_quiet, is_verbose=is_verbose)

    run.__doc__ = declared.function.__doc__
    context = inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
    parameters = [context, *map(_parameter, options)]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(name, cls=Command, context_settings=SETTINGS)(run)
    return typer.main.get_command(app)


class _Command(VerbositySwitch, TyperCommand):
    """A command whose help lists the options under the headings of their groups.

    Attributes:
        declared: Its options.
    """

    declared: Sequence[OptionField]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the command line, with the value of each option that is given alone."""
        parsed: list[str] = super().parse_args(ctx, _complete_alone(self.declared, args))
        return parsed

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the options into the help."""
        groups = group_options(self.declared)
        groups[OPTIONS] += self.list_options(ctx)[-len(VERBOSITY) - 1 :]
        for heading, records in groups.items():
            if records:
                write_section(formatter, heading, records)


def _complete_alone(options: Sequence[OptionField], args: list[str]) -> list[str]:
    """Return the arguments with the value of each option that may be given without one.

    It is alone at the end, before another option, and before a file or folder that is there.
    """
    alone = {each.flag: each for each in options if each.option.alone}
    completed = []
    for arg, after in zip(args, [*args[1:], "-"], strict=False):
        completed.append(arg)
        each = alone.get(arg)
        if each is None:
            continue
        is_value = not after.startswith("-") and (
            set(after.split(",")) <= set(each.names) or not os.path.lexists(after)
        )
        if not is_value:
            completed[-1] = f"{arg}={each.option.alone}"
    return completed


def _make_usage_error(error: ValueTypedError) -> typer.BadParameter:
    each = error.option
    hint = make_metavar(each) if isinstance(each.option, Argument) else each.flag
    return typer.BadParameter(error.rule, param_hint=f"'{hint}'")


def _parameter(each: OptionField) -> inspect.Parameter:
    """Return the parameter that Typer reads; it hands text on as it was typed."""
    unset = ... if each.default is MISSING else None
    kind: Any = bool if each.type is bool else str
    complete = _completion(each) if each.choices or each.option.names else None
    settings: dict[str, Any] = {
        "help": each.option.help,
        "metavar": make_metavar(each),
        "autocompletion": complete,
    }
    if isinstance(each.option, Argument):
        kind = list[str] if each.is_list else str
        info = typer.Argument(unset, **settings)
    else:
        kind = list[str] if each.option.repeats else kind
        info = typer.Option(unset, each.flags, **settings)
    annotation = kind | None if unset is None else kind
    return inspect.Parameter(
        each.name, inspect.Parameter.KEYWORD_ONLY, default=info, annotation=annotation
    )


def _completion(each: OptionField) -> Callable[[str], list[str]]:
    """Return the function that completes a name, in a list the last one."""

    def complete(incomplete: str) -> list[str]:
        before, comma, _ = incomplete.rpartition(",") if each.is_list else ("", "", "")
        return [f"{before}{comma}{name}" for name in each.names]

    return complete
