"""Commands made from functions of one frozen dataclass, whose fields are the options."""

from __future__ import annotations

import inspect
import os
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

import typer
from typer.core import TyperCommand

from edgeemo.cli.help import OPTIONS, group_options, make_metavar, write_section
from edgeemo.cli.verbosity import VERBOSITY, VerbositySwitch, call_function
from edgeemo.utils.options import Argument, OptionField, option_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

SETTINGS = {"help_option_names": ["-h", "--help"]}
"""Settings of every command."""


@dataclass(frozen=True)
class Given:
    """Annotation of a field for options of another dataclass: only those that are given, by name.

    Attributes:
        of: The dataclass.
        only: Names of its options; by default all of them.
    """

    of: type
    only: tuple[str, ...] = ()

    def options(self) -> list[OptionField]:
        """Return its options."""
        declared = option_fields(self.of)
        return [declared[name] for name in self.only or declared]


@dataclass(frozen=True)
class CommandFunction:
    """A function of one dataclass, as a command.

    Attributes:
        function: What the command does; its docstring is the help.
        examples: Lines to show below the help.
    """

    function: Callable[[Any], None]
    examples: tuple[str, ...]

    def build(self, name: str) -> Any:
        """Return the Typer command."""
        (parameter,) = inspect.signature(self.function).parameters
        arguments = get_type_hints(self.function)[parameter]
        options = tuple(_flatten(arguments))

        class Command(_Command):
            declared = options
            examples = self.examples

        def run(ctx: typer.Context, **typed: Any) -> None:
            values = {name: value for name, value in typed.items() if value not in (None, [])}
            call_function(self.function, _collect(arguments, values), ctx)

        run.__doc__ = self.function.__doc__
        context = inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
        parameters = [context, *map(_parameter, options)]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        app = typer.Typer(add_completion=False, rich_markup_mode=None)
        app.command(name, cls=Command, context_settings=SETTINGS)(run)
        return typer.main.get_command(app)


def command(*examples: str) -> Callable[[Callable[[Any], None]], CommandFunction]:
    """Return a decorator that makes a command of a function of one dataclass.

    Args:
        examples: Lines to show below the help.
    """
    return lambda function: CommandFunction(function, examples)


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


def _flatten(cls: Any) -> Iterator[OptionField]:
    """Yield the options of a dataclass and of those that it contains."""
    for name, kind, given in _members(cls):
        if given:
            yield from given.options()
        elif is_dataclass(kind):
            yield from _flatten(kind)
        else:
            yield option_fields(cls)[name]


def _collect(cls: Any, texts: Mapping[str, Any]) -> Any:
    """Return an instance of a dataclass from what was typed, by the names of the options."""
    values: dict[str, Any] = {}
    for name, kind, given in _members(cls):
        if given:
            values[name] = _read(given.options(), texts)
        elif is_dataclass(kind):
            values[name] = _collect(kind, texts)
        else:
            values |= _read([option_fields(cls)[name]], texts)
    return cls(**values)


def _members(cls: Any) -> Iterator[tuple[str, Any, Given | None]]:
    hints = get_type_hints(cls, include_extras=True)
    for name in (each.name for each in fields(cls)):
        extras = [extra for extra in get_args(hints[name]) if isinstance(extra, Given)]
        yield name, hints[name], extras[0] if extras else None


def _read(options: list[OptionField], texts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the options that were given."""
    return {each.name: _value(each, texts[each.name]) for each in options if each.name in texts}


def _value(each: OptionField, typed: Any) -> Any:
    try:
        if each.option.repeats:
            one = replace(each, type=each.item)
            return tuple(one.parse(text) for text in typed)
        return each.parse(typed) if isinstance(typed, str) else each.convert(typed)
    except ValueError as error:
        is_argument = isinstance(each.option, Argument)
        hint = make_metavar(each) if is_argument else each.flag
        raise typer.BadParameter(str(error), param_hint=f"'{hint}'") from None


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
