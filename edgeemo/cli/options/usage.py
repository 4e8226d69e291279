"""Options that are wrong together, or for what they name: wrong usage, exit status 2."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from edgeemo.errors import DatasetError, SpecError, StudyError, TrainingError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def refuse_options() -> Iterator[None]:
    """Turn an error about the options of a command into one of wrong usage.

    Raises:
        typer.BadParameter: Instead of the error.
    """
    try:
        yield
    except (DatasetError, SpecError, StudyError, TrainingError) as error:
        raise typer.BadParameter(str(error)) from None
