"""Messages about names that a user mistyped. Standard library only."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_CUTOFF = 0.6
"""Least similarity of a suggestion, 0 to 1 (`difflib.SequenceMatcher.ratio`)."""

_MANY = 20
"""Number of choices that a message lists beside a suggestion."""


def find_nearest(name: str, choices: Iterable[str]) -> str | None:
    """Return the choice most like `name`, whatever the case; None if none is like it.

    Args:
        name: The name as typed.
        choices: The names there are.
    """
    import difflib

    lower = {choice.lower(): str(choice) for choice in choices}  # of an enum its value
    found = difflib.get_close_matches(name.lower(), lower, n=1, cutoff=_CUTOFF)
    return lower[found[0]] if found else None


def describe_unknown(what: str, name: str, choices: Iterable[str]) -> str:
    """Return the message about a name that is none of the choices.

    For example "recipe 'focl' is unknown; did you mean 'focal'? Choose from basic, focal".

    Args:
        what: Kind of the name, such as "recipe".
        name: The name as typed.
        choices: The names there are, at least one. Many are listed only without a suggestion.
    """
    choices = tuple(choices)
    listed = f"hoose from {', '.join(choices)}"
    near = find_nearest(name, choices)
    if near is None:
        return f"{what} {name!r} is unknown; c{listed}"
    more = f" C{listed}" if len(choices) <= _MANY else ""
    return f"{what} {name!r} is unknown; did you mean {near!r}?{more}"
