"""The help of a declared option: its placeholder and its text. Standard library only."""

from __future__ import annotations

from dataclasses import MISSING
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeemo.utils.options import Argument

if TYPE_CHECKING:
    from edgeemo.utils.options import OptionField

_METAVARS = {int: "N", float: "X", Path: "PATH"}
_LONGEST_METAVAR = 32


def make_metavar(each: OptionField) -> str:
    """Return the placeholder of an option's value: its choices, where they are short."""
    choices = "|".join(map(str, each.choices))
    if each.option.metavar or each.is_list:
        return each.option.metavar or "A,B"
    return choices if 0 < len(choices) <= _LONGEST_METAVAR else _METAVARS.get(each.type, "NAME")


def describe_option(each: OptionField) -> str:
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
