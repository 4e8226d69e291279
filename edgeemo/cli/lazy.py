"""Groups of commands that are imported when they are called."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from edgeemo.cli.help import write_section
from edgeemo.cli.switches import VerbositySwitch
from edgeemo.cli.typer_command import SETTINGS, build_command
from edgeemo.utils.suggest import describe_unknown

if TYPE_CHECKING:
    from collections.abc import Sequence


def group(
    name: str, help: str, commands: Sequence[str], *, package: str, add_completion: bool = False
) -> typer.Typer:
    """Return a group of commands.

    Args:
        name: Its name.
        help: Its help.
        commands: Names of the commands, which are also those of their modules; a module has the
            command, a `CommandFunction` or a group, under the same name.
        package: The package of the modules.
        add_completion: Whether it has options that install shell completion.
    """

    class Group(VerbositySwitch, TyperGroup):
        def __init__(self, **settings: Any) -> None:
            super().__init__(**settings)
            self.commands = dict.fromkeys(commands)  # type: ignore[assignment]

        def list_commands(self, ctx: Any) -> list[str]:
            return list(commands)

        def resolve_command(self, ctx: Any, args: list[str]) -> Any:
            if args[0] not in commands and args[0][:1].isalnum():
                ctx.fail(describe_unknown("command", args[0], commands))
            return super().resolve_command(ctx, args)

        def get_command(self, ctx: Any, cmd_name: str) -> Any:
            return _load(package, cmd_name) if cmd_name in commands else None

        def format_options(self, ctx: Any, formatter: Any) -> None:
            write_section(formatter, "Options", self.list_options(ctx))
            found = {each: self.get_command(ctx, each) for each in commands}
            summaries = [(each, found[each].get_short_help_str()) for each in commands]
            write_section(formatter, "Commands", summaries)

    return typer.Typer(
        name=name,
        help=help,
        cls=Group,
        no_args_is_help=True,
        add_completion=add_completion,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings=SETTINGS,
    )


def _load(package: str, name: str) -> Any:
    """Return the command of a name, imported."""
    module = name.replace("-", "_")
    found = getattr(import_module(f"{package}.{module}"), module)
    return (
        typer.main.get_group(found)
        if isinstance(found, typer.Typer)
        else build_command(found, name)
    )
