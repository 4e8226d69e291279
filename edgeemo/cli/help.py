"""The help of commands and groups, laid out for the width of the terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from edgeemo.utils.layout import get_width, wrap
from edgeemo.utils.option_help import describe_option, make_metavar
from edgeemo.utils.options import Argument

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from edgeemo.utils.options import OptionField

OPTIONS = "Options"
"""Heading of the options without a group."""

_ARGUMENTS = "Arguments"
_LONGEST_NAME = 30
_LONGEST_SUMMARY = 100
_MIN_TEXT = 30
_NARROW_INDENT = 6
_MAX_WIDTH = 80


class Page:
    """Mix-in of a command or group whose help fits the terminal, however narrow.

    Attributes:
        examples: Lines to show below the help.
    """

    examples: Sequence[str] = ()

    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> Any:
        """Return the context; its width is that of the help and of the usage before an error."""
        if parent is None:
            width = get_width(sys.stdout) or _MAX_WIDTH
            extra.setdefault("terminal_width", min(width, _MAX_WIDTH))
        base: Any = super()
        return base.make_context(info_name, args, parent, **extra)

    def get_short_help_str(self, limit: int = _LONGEST_SUMMARY) -> str:
        """Return the first sentence of the help, for a list of commands and for completion."""
        base: Any = super()
        return str(base.get_short_help_str(limit))

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        """Write the usage into the help; an argument is named by its placeholder alone."""
        command: Any = self
        arguments = [each for each in command.params if each.param_type_name == "argument"]
        pieces = [each.metavar if each.required else f"[{each.metavar}]" for each in arguments]
        tail = ["COMMAND", "[ARGS]..."] if hasattr(command, "commands") else []
        usage = " ".join(["Usage:", ctx.command_path, "[OPTIONS]", *pieces, *tail])
        formatter.write("\n".join([*wrap(usage, formatter.width, indent="  "), ""]))

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the examples into the help; a long one continues after a backslash."""
        if not self.examples:
            return
        formatter.write("\n  Examples:\n\n")
        for line in self.examples:
            fits = len(line) + 4 <= formatter.width
            parts = [line] if fits else wrap(line, formatter.width - 6, indent="  ")
            formatter.write("".join(f"    {part} \\\n" for part in parts[:-1]))
            formatter.write(f"    {parts[-1]}\n")


def write_section(formatter: Any, heading: str, records: Sequence[tuple[str, str]]) -> None:
    """Write a heading, and below it names and texts."""
    with formatter.section(heading):
        formatter.write(lay_out(records, width=formatter.width))


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
        groups.setdefault(heading or OPTIONS, []).append((name, describe_option(each)))
    return groups


def lay_out(records: Sequence[tuple[str, str]], *, width: int) -> str:
    """Return names and texts in two columns, or where that is too narrow one below the other."""
    column = min(max(len(name) for name, _ in records), _LONGEST_NAME) + 4
    if width - column < _MIN_TEXT:
        column = _NARROW_INDENT
    lines = []
    for name, text in records:
        wrapped = wrap(text, width - column)
        fits = len(name) <= column - 4
        lines.append(f"  {name:<{column - 2}}{wrapped.pop(0)}" if fits else f"  {name}")
        lines += [" " * column + line for line in wrapped]
    return "\n".join([*lines, ""])
