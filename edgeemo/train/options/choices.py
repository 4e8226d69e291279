"""How a training's errors speak of options, and of a name that is none of those it knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.errors import TrainingError
from edgeemo.utils.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable


def unknown(what: str, name: str, choices: Iterable[str]) -> TrainingError:
    """The error for a name that is none of the choices; the caller raises it.

    Args:
        what: What the name would be of, such as "architecture".
        name: What was typed.
        choices: What there is, at least one.
    """
    choices = tuple(choices)
    return TrainingError(
        f"{what} {name!r} is unknown; did you mean {nearest(name, choices)!r}? "
        f"There are: {', '.join(choices)}"
    )


def spoken(name: str) -> str:
    """An option's name in a sentence: "batch size"."""
    return name.replace("_", " ")
