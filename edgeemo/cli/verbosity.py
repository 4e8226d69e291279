"""A command is called with a verbosity, and a fault of edgeemo becomes one line."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from edgeemo.cli.output.console import be_quiet
from edgeemo.errors import EdgeEmoError

if TYPE_CHECKING:
    from collections.abc import Callable


def call_function(
    function: Callable[[Any], int | None],
    given: Any,
    *,
    is_quiet: bool = False,
    is_verbose: bool = False,
) -> int | None:
    """Call the function of a command.

    Args:
        function: What the command does.
        given: Its argument.
        is_quiet: Whether to drop notes and progress.
        is_verbose: Whether to show what libraries print, and tracebacks.

    Returns:
        What the function returns: its exit status.

    Raises:
        typer.BadParameter: From the function.
        EdgeEmoError: From the function, or in place of an error that is a fault of edgeemo.
    """
    with be_quiet(is_quiet), _show_output() if is_verbose else nullcontext():
        try:
            return function(given)
        except Exception as error:
            if isinstance(error, BrokenPipeError) or is_of_typer(error):
                raise
            if is_verbose:
                import traceback

                traceback.print_exc()
            if isinstance(error, EdgeEmoError | OSError | MemoryError):
                raise
            raise EdgeEmoError(_describe_fault(error)) from error


def is_of_typer(error: Exception) -> bool:
    """Return whether an error is for Typer: of wrong usage, or the end of a command.

    Typer is not imported for this: without it no such error can have been raised.
    """
    return type(error).__module__.partition(".")[0] in ("typer", "click")


def _show_output() -> Any:
    from edgeemo.utils.redirect import show_output

    return show_output()


def _describe_fault(error: Exception) -> str:
    from edgeemo.utils.text import one_line

    what = f"{type(error).__name__}: {one_line(error)}"
    return f"internal error ({what}); please report it with the output of --verbose"
