"""Wrong usage, exit status 2: one line that says what is wrong and what there is."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from edgeemo.errors import (
    AdoptError,
    BundleError,
    DatasetError,
    ExportError,
    SpecError,
    StudyError,
    TrainingError,
)
from edgeemo.utils.suggest import describe_unknown, find_nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

UsageError: Any = next(each for each in typer.BadParameter.__mro__ if each.__name__ == "UsageError")
"""The base of Typer's errors of wrong usage, which Typer does not export."""

_OF_OPTIONS = (
    AdoptError, BundleError, DatasetError, ExportError, SpecError, StudyError, TrainingError,
)  # fmt: skip
"""Errors about options, where files have not been looked at."""

_MANY = 20
"""Number of options that a message lists."""


@contextmanager
def refuse_options() -> Iterator[None]:
    """Turn an error about the options of a command into one of wrong usage.

    Raises:
        typer.BadParameter: Instead of the error.
    """
    try:
        yield
    except _OF_OPTIONS as error:
        raise typer.BadParameter(str(error)) from None


def describe_usage(error: Any) -> str:
    """Return the message about wrong usage in one line.

    Args:
        error: A `UsageError`.
    """
    hint = getattr(error, "param_hint", None)
    if type(error).__name__ == "NoSuchOption":
        message = _describe_unknown_option(error)
    elif type(error) is typer.BadParameter and isinstance(hint, str):
        between = " " if error.message.startswith("must ") else ": "
        message = hint.strip("'") + between + error.message
    elif type(error) is typer.BadParameter and error.param is None:
        message = error.message
    else:
        message = error.format_message().rstrip(".")
        message = message[:1].lower() + message[1:]
    return f"{message} (see '{error.ctx.command_path} -h')" if error.ctx else message


def _describe_unknown_option(error: Any) -> str:
    """Return the message about an unknown option, with the one that was probably meant."""
    name: str = error.option_name
    params = error.ctx.command.get_params(error.ctx)
    options = [flag for each in params for flag in each.opts if flag.startswith("--")]
    near = find_nearest(name.strip("-"), [flag.strip("-") for flag in options])
    if near is None and len(options) > _MANY:
        return f"option '{name}' is unknown"
    if near is None:
        return describe_unknown("option", name, options)
    return f"option '{name}' is unknown; did you mean '--{near}'?"
