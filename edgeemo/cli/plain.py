"""The start of ``edgeemo`` without Typer, for a command line whose words are all in order.

Typer takes half of the time of a prediction to import. The declaration of a command is enough to
read a command line that has a command, its options by their full names, and its arguments.
Everything else is left to Typer: help, completion, --quiet and --verbose, groups of commands, and
whatever is wrong, with the message.
"""

from __future__ import annotations

import os
from dataclasses import MISSING
from importlib import import_module
from typing import TYPE_CHECKING, Any

from edgeemo.errors import EXIT_OK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.cli.command import CommandFunction
    from edgeemo.utils.options import OptionField

COMMANDS = (
    "train",
    "tune",
    "recipes",
    "export",
    "adopt",
    "verify",
    "diagnose",
    "predict",
    "live",
    "serve",
    "evaluate",
    "compare",
    "models",
    "info",
    "doctor",
    "bench",
    "bundle",
    "sign",
    "verify-signature",
    "data",
)
"""Names of the commands, in the order of the help."""

PACKAGE = "edgeemo.cli.commands"
"""Package of their modules."""

_COMPLETION = "_EDGEEMO_COMPLETE"  # set by the shell


def run_plain(words: Sequence[str]) -> int | None:
    """Run a command line that is in order.

    Args:
        words: The words after the program's name.

    Returns:
        The exit status; None where Typer has to read the command line: also where options
        contradict each other, before anything is done or printed.
    """
    from edgeemo.cli.verbosity import call_function, is_of_typer

    if not words or _COMPLETION in os.environ:
        return None
    if list(words) in (["--version"], ["-V"]):
        from edgeemo import __version__
        from edgeemo.cli.output.console import echo

        echo(__version__)
        return EXIT_OK
    found = _find_command(words[0])
    if found is None:
        return None
    try:
        given = read_words(found, words[1:])
        return None if given is None else call_function(found.function, given) or EXIT_OK
    except Exception as error:
        if not is_of_typer(error):
            raise
        status: int | None = getattr(error, "exit_code", None)
        return status if type(error).__name__ == "Exit" else None


def _find_command(name: str) -> CommandFunction | None:
    from edgeemo.cli.command import CommandFunction

    if name not in COMMANDS:
        return None
    module = name.replace("-", "_")
    found = getattr(import_module(f"{PACKAGE}.{module}"), module)
    return found if isinstance(found, CommandFunction) else None


def read_words(command: CommandFunction, words: Sequence[str]) -> Any:
    """Return the argument of a command's function; None where Typer has to read the words.

    Args:
        command: The command.
        words: The words after its name.
    """
    from edgeemo.cli.command import ValueTypedError

    options = command.list_options()
    texts = _read_texts(options, words)
    if texts is None or any(_is_missing(each, texts) for each in options):
        return None
    try:
        return command.collect(texts)
    except ValueTypedError:
        return None


def _read_texts(options: Sequence[OptionField], words: Sequence[str]) -> dict[str, Any] | None:
    """Return what was typed, by the names of the options; None where a word is out of order."""
    from edgeemo.utils.options import Argument

    arguments = [each for each in options if isinstance(each.option, Argument)]
    flags = {flag: each for each in options for flag in _list_flags(each)}
    texts: dict[str, Any] = {}
    positional: list[str] = []
    rest = iter(words)
    for word in rest:
        if not word.startswith("-") or word == "-":
            positional.append(word)
            continue
        flag, equals, value = word.partition("=")
        each = flags.get(flag)
        if each is None or each.option.alone:
            return None
        if each.type is bool:
            if equals:
                return None
            texts[each.name] = flag == each.flag
            continue
        text = value if equals else next(rest, "-")
        if text.startswith("-"):
            return None
        texts[each.name] = [*texts.get(each.name, []), text] if each.option.repeats else text
    if not positional:
        return texts
    if len(arguments) != 1 or (len(positional) > 1 and not arguments[0].is_list):
        return None
    texts[arguments[0].name] = positional if arguments[0].is_list else positional[0]
    return texts


def _list_flags(each: OptionField) -> tuple[str, ...]:
    from edgeemo.utils.options import Argument

    return () if isinstance(each.option, Argument) else tuple(each.flags.split("/"))


def _is_missing(each: OptionField, texts: dict[str, Any]) -> bool:
    return each.default is MISSING and each.name not in texts
