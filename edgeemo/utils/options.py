"""Options declared once: a field of a frozen dataclass, annotated with an `Option`.

    >>> @dataclass(frozen=True, kw_only=True)
    ... class Settings:
    ...     epochs: Annotated[int, Option("Passes over the images.", minimum=1)] = 20

The field has the name, the type, the choices (those of an enum or `Literal`) and the default; the
`Option` has the rest. The command line, configuration files, checks and documents derive from the
two. Standard library only.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, fields
from enum import Enum
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from edgeemo.utils.serialize import from_plain, to_plain
from edgeemo.utils.suggest import find_nearest
from edgeemo.utils.text import join_or

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


@dataclass(frozen=True)
class Option:
    """What the name, the type and the default of a field do not say of an option.

    Attributes:
        help: What it sets, in a sentence or two.
        group: Heading above it in the help of a command.
        metavar: Placeholder for its value in help; by default one for the type.
        flag: Name on the command line, "/" before the one that turns it off; by default that of
            the field, with "-" for "_".
        default: Text for its default value in help, where the value does not tell.
        minimum: Smallest allowed number, of a list each of them.
        maximum: Largest allowed number.
        above: Number that it has to exceed.
        below: Number that it has to stay below.
        names: Returns the names to offer in help and completion, of a type without choices of its
            own. Any other text is allowed, too: whoever uses the value checks it.
        repeats: Whether the command line gives each value of a list by an option of its own.
        alone: Value where the command line gives the option without one; "" where it needs one.
        needs: Returns the module that a value needs, of an extra as in `edgeemo.utils.extras`; ""
            for none.
    """

    help: str
    _: KW_ONLY
    group: str = ""
    metavar: str = ""
    flag: str = ""
    default: str = ""
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    below: float | None = None
    names: Callable[[], Iterable[str]] | None = None
    repeats: bool = False
    alone: str = ""
    needs: Callable[[Any], str] | None = None

    @property
    def range(self) -> str:
        """Return the allowed numbers as text: "1 to 9", "at least 0 and less than 1", or ""."""
        low, high = _shown(self.minimum), _shown(self.maximum)
        if low and high:
            return f"{low} to {high}"
        limits = {
            "at least": low,
            "more than": _shown(self.above),
            "at most": high,
            "less than": _shown(self.below),
        }
        return " and ".join(f"{word} {number}" for word, number in limits.items() if number)

    def is_in_range(self, number: float) -> bool:
        """Return whether a number is allowed; NaN never is, where there is a limit."""
        return (
            (self.minimum is None or number >= self.minimum)
            and (self.maximum is None or number <= self.maximum)
            and (self.above is None or number > self.above)
            and (self.below is None or number < self.below)
        )


# No dataclass of its own: it adds no field, and that costs each start four million instructions.
class Argument(Option):
    """An option that the command line takes by its position."""


@dataclass(frozen=True, kw_only=True)
class OptionField:
    """A field and its `Option`.

    Attributes:
        name: The field's name in Python.
        type: Its type, without None.
        is_optional: Whether it may be None.
        default: Its default value; `dataclasses.MISSING` where it has to be given.
        option: The declaration.
    """

    name: str
    type: Any
    is_optional: bool
    default: Any
    option: Option

    @property
    def key(self) -> str:
        """Return its name in files: the field's, without the "_" behind a keyword of Python."""
        return self.name.rstrip("_")

    @property
    def flag(self) -> str:
        """Return its name on the command line, as in "--batch-size"."""
        return self.flags.partition("/")[0]

    @property
    def flags(self) -> str:
        """Return its name, of a truth value that may be unset with the one that turns it off."""
        name = self.key.replace("_", "-")
        turns_off = f"/--no-{name}" if self.type is bool and self.is_optional else ""
        return self.option.flag or f"--{name}{turns_off}"

    @property
    def item(self) -> Any:
        """Return the type of one value: of a list that of its items."""
        return get_args(self.type)[0] if self.is_list else self.type

    @property
    def is_list(self) -> bool:
        """Return whether it takes several values."""
        return get_origin(self.type) is tuple

    @property
    def choices(self) -> tuple[Any, ...]:
        """Return the only values that are allowed, as plain text or numbers; () for any."""
        return _choices(self.item)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names to offer: its choices, or those of the declaration."""
        offered = self.option.names() if self.option.names else self.choices
        return tuple(map(str, offered))

    def parse(self, text: str) -> Any:
        """Return the value of a text of the command line: lists with ",", numbers also as 1/255.

        Raises:
            ValueError: As `convert`.
        """
        if not self.is_list:
            return self.convert(_parse_item(text, self.item))
        parts = [part.strip() for part in text.split(",") if part.strip()]
        return self._convert([_parse_item(part, self.item) for part in parts], shown=repr(text))

    def convert(self, value: Any) -> Any:
        """Return a value of a configuration file, of JSON or of Python as the field has it.

        Raises:
            ValueError: If its type, its range or its name is wrong; the text is the rule, as in
                "must be at least 1, not 0".
        """
        if value is None and self.is_optional:
            return None
        plain = to_plain(value)
        return self._convert(plain, shown=repr(plain))

    def _convert(self, plain: Any, *, shown: str) -> Any:
        try:
            if self.item is Path and plain == "":
                raise ValueError
            converted = from_plain(self.type, plain)
        except (TypeError, ValueError):
            raise ValueError(f"must be {self._rule}, not {shown}{self._hint(plain)}") from None
        numbers = converted if self.is_list else _bounds(converted)
        if self.option.range and not all(map(self.option.is_in_range, numbers)):
            raise ValueError(f"must be {self.option.range}, not {shown}")
        return converted

    @property
    def _rule(self) -> str:
        """Return what a value of the right type is."""
        if not self.is_list:
            if int in _alternatives(self.type)[:-1]:
                return _RANGE
            return join_or(self.names) if self.choices else _WORDS.get(self.type, "text")
        *_, last = get_args(self.type)
        count = "" if last is Ellipsis else f"{len(get_args(self.type))} "
        return f"a list of {count}{join_or(self.names) or _PLURALS.get(self.item, 'texts')}"

    def _hint(self, plain: Any) -> str:
        """Return the choice that was probably meant, as the end of a message."""
        texts = plain if isinstance(plain, list) else [plain]
        unknown = [text for text in texts if isinstance(text, str) and text not in self.choices]
        near = find_nearest(unknown[0], map(str, self.choices)) if unknown else None
        return f"; did you mean {near!r}?" if near else ""


@cache
def option_fields(cls: Any) -> Mapping[str, OptionField]:
    """Return the fields of a dataclass that are declared with an `Option`, by name."""
    hints = get_type_hints(cls, include_extras=True)
    found = {}
    for each in fields(cls):
        hint = hints[each.name]
        options = [extra for extra in get_args(hint)[1:] if isinstance(extra, Option)]
        if get_origin(hint) is Annotated and options:
            kinds = _alternatives(get_args(hint)[0])
            kept = [kind for kind in kinds if kind is not NoneType]
            found[each.name] = OptionField(
                name=each.name,
                type=kept[0] if len(kept) == 1 else Union[tuple(kept)],  # noqa: UP007 - at run time
                is_optional=NoneType in kinds,
                default=each.default,
                option=options[0],
            )
    return found


def convert_fields(instance: object) -> None:
    """Convert and check the options of a frozen dataclass, for its ``__post_init__``.

    Raises:
        ValueError: If a value is wrong; the text names the option and the rule.
    """
    cls: Any = type(instance)
    for name, each in option_fields(cls).items():
        try:
            object.__setattr__(instance, name, each.convert(getattr(instance, name)))
        except ValueError as error:
            raise ValueError(f"{each.key} {error}") from None


_WORDS = {int: "a whole number", float: "a number", bool: "true or false", Path: "a path"}
_RANGE = "a whole number or a range such as 2..8"
_PLURALS = {int: "whole numbers", float: "numbers", Path: "paths"}


def _bounds(value: Any) -> tuple[Any, ...]:
    """Return the numbers of a value: of a range, such as "2..8", both ends."""
    return tuple(getattr(value, name, value) for name in ("low", "high"))


def _shown(number: float | None) -> str:
    """Return a limit as text, "" for none: "4,096", "0.3"."""
    if number is None:
        return ""
    return f"{number:,}" if isinstance(number, int) else f"{number:g}"


def _alternatives(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def _choices(kind: Any) -> tuple[Any, ...]:
    if get_origin(kind) is Literal:
        return get_args(kind)
    is_enum = isinstance(kind, type) and issubclass(kind, Enum)
    return tuple(each.value for each in kind) if is_enum else ()


def _parse_item(text: str, kind: Any) -> Any:
    """Return a text as the plain value that it stands for; the text itself where it is wrong."""
    choices = {str(choice): choice for choice in _choices(kind)}
    try:
        if int in _alternatives(kind):
            return int(text)
        if kind is float:
            numerator, _, denominator = text.partition("/")
            return float(numerator) / float(denominator or 1)
    except (ValueError, ZeroDivisionError):
        return text
    return choices.get(text, text)
