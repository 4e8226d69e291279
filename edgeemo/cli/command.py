"""Commands declared as functions of one frozen dataclass, whose fields are the options.

Nothing here needs Typer, so that a command whose words are all in order starts without it (see
`edgeemo.cli.plain`).
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from edgeemo.utils.options import OptionField, option_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


class ValueTypedError(Exception):
    """A value on the command line that breaks the rule of its option.

    Attributes:
        option: The option.
        rule: The rule, as in "must be at least 1, not 0".
    """

    def __init__(self, option: OptionField, rule: str) -> None:
        super().__init__(rule)
        self.option, self.rule = option, rule


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
        function: What the command does, with the exit status where it is not 0; its docstring is
            the help.
        examples: Lines to show below the help.
    """

    function: Callable[[Any], int | None]
    examples: tuple[str, ...]

    @property
    def arguments(self) -> Any:
        """Return the dataclass of its options."""
        (parameter,) = inspect.signature(self.function).parameters
        return get_type_hints(self.function)[parameter]

    def list_options(self) -> list[OptionField]:
        """Return its options, those of the dataclasses inside included."""
        return list(_flatten(self.arguments))

    def collect(self, texts: Mapping[str, Any]) -> Any:
        """Return the function's argument from what was typed, by the names of the options.

        Raises:
            ValueTypedError: If a value breaks the rule of its option.
        """
        return _collect(self.arguments, texts)


def command(*examples: str) -> Callable[[Callable[[Any], int | None]], CommandFunction]:
    """Return a decorator that makes a command of a function of one dataclass.

    Args:
        examples: Lines to show below the help.
    """
    return lambda function: CommandFunction(function, examples)


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
        raise ValueTypedError(each, str(error)) from None
