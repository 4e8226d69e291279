"""Options declared as in `edgeemo.utils.options`, for argparse."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from edgeemo.utils.option_help import describe_option, make_metavar
from edgeemo.utils.options import Argument, option_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from edgeemo.utils.options import OptionField


def add_declared_options(
    parser: argparse.ArgumentParser, cls: Any, *, without: Collection[str] = ()
) -> None:
    """Add the options of a dataclass to a parser, under the headings of their groups.

    Args:
        parser: The parser. An option that is not given leaves no attribute in its result.
        cls: The dataclass.
        without: Names of options to leave out.
    """
    groups: dict[str, Any] = {"": parser}
    for name, each in option_fields(cls).items():
        if name not in without:
            heading = each.option.group
            group = groups.setdefault(heading, None) or parser.add_argument_group(heading.lower())
            groups[heading] = group
            _add_option(group, each)


def read_declared_options(cls: Any, parsed: argparse.Namespace) -> dict[str, Any]:
    """Return the values of those options of a dataclass that are given, by name."""
    found = {name: getattr(parsed, name) for name in option_fields(cls) if hasattr(parsed, name)}
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in found.items()
    }


def _add_option(group: Any, each: OptionField) -> None:
    text = describe_option(each).replace("%", "%%")
    shared: dict[str, Any] = {"help": text, "default": argparse.SUPPRESS}
    if each.type is bool:
        turns_off = each.is_optional
        action = argparse.BooleanOptionalAction if turns_off else "store_true"
        group.add_argument(each.flag, dest=each.name, action=action, **shared)
        return
    shared |= {"metavar": make_metavar(each), "type": _make_parser(each)}
    if isinstance(each.option, Argument):
        group.add_argument(each.name, nargs="?", **shared)
    else:
        action = "append" if each.option.repeats else "store"
        group.add_argument(each.flag, dest=each.name, action=action, **shared)


def _make_parser(each: OptionField) -> Callable[[str], Any]:
    """Return the function that reads a value; argparse shows the rule that it breaks."""
    one = replace(each, type=each.item) if each.option.repeats else each

    def parse(text: str) -> Any:
        try:
            return one.parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return parse
