"""Text of messages: a number with its noun, names in a sentence, an error on one line.

Standard library only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def plural(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun: "1 image", "1,200 images".

    Args:
        number: 0 or more.
        one: Singular of the noun, also with its verb ("image is").
        many: Plural; by default the singular with an "s".
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def join_and(names: Sequence[str]) -> str:
    """Return names as in a sentence: "sad", "fear and sad", "anger, fear and sad"."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)


def one_line(text: object) -> str:
    """Return a text or an exception's text with every run of white space as one space.

    Args:
        text: Text, or an exception; of one without a text the name of its class is returned.
    """
    joined = " ".join(str(text).split())
    return joined or (type(text).__name__ if isinstance(text, BaseException) else "")
