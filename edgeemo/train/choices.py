"""Names that a user chooses among, and what is said of a name that is none of them."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from edgeemo.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Iterable


def nearest(name: str, choices: Iterable[str]) -> str:
    """The choice that is most like `name`, capitals and small letters being alike.

    Args:
        name: What was typed.
        choices: At least one name.
    """
    plain = {choice.lower(): choice for choice in choices}
    return plain[difflib.get_close_matches(name.lower(), plain, n=1, cutoff=0.0)[0]]


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
