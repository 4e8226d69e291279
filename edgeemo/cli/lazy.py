"""Groups of commands that are imported when they are called."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from edgeemo.cli.command import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


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

    class Group(TyperGroup):
        def __init__(self, **settings: Any) -> None:
            super().__init__(**settings)
            self.commands = _Commands(commands, package)  # type: ignore[assignment]

        def list_commands(self, ctx: Any) -> list[str]:
            return list(commands)

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


class _Commands(Mapping[str, Any]):
    """Name to command, imported when it is looked up."""

    def __init__(self, names: Sequence[str], package: str) -> None:
        self._names, self._package = names, package
        self._built: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._built:
            found = getattr(import_module(f"{self._package}.{name}"), name)
            is_group = isinstance(found, typer.Typer)
            self._built[name] = typer.main.get_group(found) if is_group else found.build(name)
        return self._built[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
