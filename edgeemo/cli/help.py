"""The help of a command, from the declarations of its options."""

from __future__ import annotations

from dataclasses import MISSING
from enum import Enum
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from edgeemo.utils.options import Argument

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from edgeemo.utils.options import OptionField

OPTIONS = "Options"
"""Heading of the options without a group."""

_ARGUMENTS = "Arguments"
_METAVARS = {int: "N", float: "X", Path: "PATH"}
_LONGEST_METAVAR = 32
_LONGEST_NAME = 30


def make_metavar(each: OptionField) -> str:
    """Return the placeholder of an option's value: its choices, where they are short."""
    choices = "|".join(map(str, each.choices))
    if each.option.metavar or each.is_list:
        return each.option.metavar or "A,B"
    return choices if 0 < len(choices) <= _LONGEST_METAVAR else _METAVARS.get(each.type, "NAME")


def group_options(options: Iterable[OptionField]) -> dict[str, list[tuple[str, str]]]:
    """Return the options by heading, each as its name with its value and its help.

    Positional arguments come first, then the options without a group.
    """
    groups: dict[str, list[tuple[str, str]]] = {_ARGUMENTS: [], OPTIONS: []}
    for each in options:
        if isinstance(each.option, Argument):
            heading, name = _ARGUMENTS, make_metavar(each)
        else:
            value = "" if each.type is bool else f" {make_metavar(each)}"
            heading, name = each.option.group, each.flags.replace("/", " / ") + value
        groups.setdefault(heading or OPTIONS, []).append((name, _help(each)))
    return groups


def lay_out(records: Sequence[tuple[str, str]], *, width: int) -> str:
    """Return names and texts in two columns; unlike click's, it breaks no name at a hyphen."""
    column = min(max(len(name) for name, _ in records), _LONGEST_NAME) + 4
    lines = []
    for name, text in records:
        wrapped = wrap(text, width - column, break_on_hyphens=False, break_long_words=False)
        fits = len(name) <= column - 4
        lines.append(f"  {name:<{column - 2}}{wrapped.pop(0)}" if fits else f"  {name}")
        lines += [" " * column + line for line in wrapped]
    return "\n".join([*lines, ""])


def _help(each: OptionField) -> str:
    """Return the help with the names to choose from, the default and the range."""
    text, metavar = each.option.help, make_metavar(each)
    if not all(name in metavar for name in each.names):
        text += f" Names: {', '.join(each.names)}."
    default = each.option.default or _default(each.default)
    extra = [f"default: {default}" if default else "", each.option.range]
    if each.default is MISSING and not isinstance(each.option, Argument):
        extra.append("required")
    listed = "; ".join(filter(None, extra))
    return f"{text} [{listed}]" if listed else text


def _default(value: Any) -> str:
    """Return a default value as one would type it; "" for one that does nothing."""
    if value is MISSING or value is None or value is False or value in ("", ()):
        return ""
    if isinstance(value, tuple):
        return ",".join(map(_default, value))
    if isinstance(value, Enum):
        return str(value.value)
    return f"{value:g}" if isinstance(value, float) else str(value)
