"""Options and unknown names in the errors of training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.errors import TrainingError
from edgeemo.utils.suggest import describe_unknown

if TYPE_CHECKING:
    from collections.abc import Iterable


def unknown(what: str, name: str, choices: Iterable[str]) -> TrainingError:
    """Return the error about a name that is none of the choices; the caller raises it.

    Args:
        what: Kind of the name, such as "architecture".
        name: The name as typed.
        choices: The names there are, at least one.
    """
    return TrainingError(describe_unknown(what, name, choices))


def spoken(name: str) -> str:
    """Return an option's name as in a sentence: "batch size"."""
    return name.replace("_", " ")
