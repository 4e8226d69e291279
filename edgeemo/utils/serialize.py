"""Dataclasses as plain JSON values and back, by the types of their fields.

A field is written under its own name. A class may list properties and constants in ``DERIVED``:
they are written before the fields. When such a file is read, properties are ignored and constants,
such as the version of the format, must be the same. Standard library only.
"""

from __future__ import annotations

import os
import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

_T = TypeVar("_T")

_NAMES = {
    int: "a whole number",
    float: "a number",
    str: "text",
    bool: "true or false",
    types.NoneType: "null",
}


def to_plain(value: Any) -> Any:
    """Return a value as JSON holds it.

    Args:
        value: A dataclass, enum, path, mapping, sequence, text, number, truth value or None, nested
            as deeply as need be.

    Raises:
        TypeError: If it holds anything else.
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {name: to_plain(getattr(value, name)) for name in (*_derived(value), *_names(value))}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return {str(key): to_plain(each) for key, each in value.items()}
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Sequence):
        return [to_plain(each) for each in value]
    raise TypeError(f"{type(value).__name__} has no plain form")


def from_plain(kind: type[_T], value: Any) -> _T:
    """Return the value of a type that `to_plain` turned into `value`.

    Args:
        kind: A dataclass, whose annotations must be resolvable at run time.
        value: What a JSON file held.

    Raises:
        ValueError: If a key is missing or unknown, or a value has another type; the text names it,
            as in "results[0].threads: a whole number expected, not 'two'".
    """
    read: _T = _read(kind, value, "")
    return read


def _derived(kind: Any) -> tuple[str, ...]:
    return getattr(kind, "DERIVED", ())


def _names(kind: Any) -> list[str]:
    return [field.name for field in fields(kind)]


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _read(hint: Any, value: Any, place: str) -> Any:
    origin = get_origin(hint) or hint
    if origin is Any:
        return value
    if origin in (Union, types.UnionType):
        return _read_union(get_args(hint), value, place)
    if origin is Literal or (isinstance(hint, type) and issubclass(hint, Enum)):
        return _read_choice(hint, value, place)
    if is_dataclass(origin):
        return _read_dataclass(origin, value, place)
    if origin is not hint:
        return _read_collection(origin, get_args(hint), value, place)
    return _read_scalar(hint, value, place)


def _read_scalar(hint: Any, value: Any, place: str) -> Any:
    if hint is float and type(value) is int:
        return float(value)
    if hint in _NAMES:
        return _require(type(value) is hint, value, place, _NAMES[hint])
    return hint(_require(isinstance(value, str), value, place, "text"))  # a path


def _read_choice(hint: Any, value: Any, place: str) -> Any:
    is_enum = isinstance(hint, type)
    choices = [each.value for each in hint] if is_enum else get_args(hint)
    is_one = any(type(value) is type(each) and value == each for each in choices)  # 1 == True
    _require(is_one, value, place, f"one of {', '.join(map(str, choices))}")
    return hint(value) if is_enum else value


def _read_union(choices: Sequence[Any], value: Any, place: str) -> Any:
    if value is None and types.NoneType in choices:
        return None
    choices = [choice for choice in choices if choice is not types.NoneType]
    for choice in choices[:-1]:
        try:
            return _read(choice, value, place)
        except ValueError:
            continue
    return _read(choices[-1], value, place)


def _read_collection(origin: Any, items: Sequence[Any], value: Any, place: str) -> Any:
    if issubclass(origin, Mapping):
        _require(isinstance(value, dict), value, place, "an object")
        return {key: _read(items[1], each, _below(place, key)) for key, each in value.items()}
    _require(isinstance(value, list), value, place, "a list")
    if origin is tuple and items[-1] is not Ellipsis:
        _require(len(value) == len(items), value, place, f"a list of {len(items)}")
        hints = items
    else:
        hints = [items[0]] * len(value)
    read = [
        _read(hint, each, f"{place}[{index}]")
        for index, (hint, each) in enumerate(zip(hints, value, strict=True))
    ]
    return read if origin is list else tuple(read)


def _read_dataclass(kind: Any, value: Any, place: str) -> Any:
    _require(isinstance(value, dict), value, place, "an object")
    for each in fields(kind):
        is_required = each.default is MISSING and each.default_factory is MISSING
        if is_required and each.name not in value:
            raise ValueError(f"{_below(place, each.name)} is missing")
    hints, found = _hints(kind), {}
    for key, content in value.items():
        if key in _derived(kind):
            _check_constant(getattr(kind, key), content, _below(place, key))
        elif key in _names(kind):
            found[key] = _read(hints[key], content, _below(place, key))
        else:
            raise ValueError(f"{_below(place, key)} is unknown")
    return kind(**found)


def _check_constant(derived: Any, value: Any, place: str) -> None:
    """Refuse another format's version; a property's value says nothing new."""
    if not isinstance(derived, property) and value != derived:
        raise ValueError(f"{place}: {derived} expected, not {value}")


def _require(holds: bool, value: Any, place: str, expected: str) -> Any:
    if not holds:
        shown = f"{str(value)[:40]!r}" if isinstance(value, str) else type(value).__name__
        raise ValueError(f"{place + ': ' if place else ''}{expected} expected, not {shown}")
    return value


def _below(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key
