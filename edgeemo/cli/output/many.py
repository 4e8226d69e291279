"""Commands that work through very many images: progress, results and what they keep."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from edgeemo.cli.output.console import note, say
from edgeemo.utils.progress import Silent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeemo.utils.progress import Progress


_FEW = 20
"""Number of errors that are printed where all are kept."""


class _Notes(Silent):
    """A `Progress` that prints notes alone."""

    def note(self, text: str) -> None:
        note(text)


@contextmanager
def show_progress(*, prints_rows: bool) -> Iterator[Progress]:
    """Show progress on standard error, unless rows come to the same terminal.

    Args:
        prints_rows: Whether the command prints a row per image while it works.
    """
    if prints_rows and sys.stdout.isatty():
        yield _Notes()
        return
    from edgeemo.cli.output.progress import progress

    with progress() as shown:
        yield shown


class ErrorLines:
    """Prints why images could not be used; of a run that is kept only a few.

    Args:
        keep: Where the results are kept; None for nowhere.
    """

    def __init__(self, keep: str | None) -> None:
        self._keep, self._count = keep, 0

    def add(self, error: str) -> None:
        """Print an error."""
        self._count += 1
        if self._keep is None or self._count <= _FEW:
            say(f"error: {error}")
        elif self._count == _FEW + 1:
            say(f"error: more than {_FEW} images; {self._keep} has all of them (column error)")
