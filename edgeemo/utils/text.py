"""Text of messages: a number with its noun, names in a sentence, an error on one line.

Standard library only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Sequence

_CONTROLS = r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"


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


def join_or(names: Sequence[str]) -> str:
    """Return names as in a sentence: "bce", "bce or focal", "none, light or strong"."""
    return " or ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)


def one_line(text: object) -> str:
    """Return a text or an exception's text with every run of white space as one space.

    Args:
        text: Text, or an exception; of one without a text the name of its class is returned.
    """
    return " ".join(str(text).split()) or _name_error(text)


def first_line(text: object) -> str:
    """Return the first line of a text or an exception's text that is not blank.

    Args:
        text: As of `one_line`.
    """
    return str(text).strip().partition("\n")[0].rstrip() or _name_error(text)


def has_controls(text: str) -> bool:
    """Return whether a text holds what a terminal would act upon, or half a character.

    Control characters (escape sequences, line ends), separators of lines, changes of the direction
    of writing, and halves of surrogate pairs. Joiners, which emoji and some scripts need, are fine.
    """
    if text.isprintable():
        return False
    import re

    return re.search(_CONTROLS, text) is not None


def escape_controls(text: object, *, keep: str = "") -> str:
    """Return a text with what `has_controls` finds written as Python's escapes.

    Args:
        text: Text, a path, or an exception.
        keep: Characters that stay as they are.
    """
    shown = str(text)
    if shown.isprintable():
        return shown
    import re

    return re.sub(_CONTROLS, lambda found: found[0] if found[0] in keep else _escape(found), shown)


def markdown_row(cells: Iterable[object]) -> str:
    """Return a row of a Markdown table; cells are taken as they are."""
    return f"| {' | '.join(map(str, cells))} |"


def markdown_head(names: Sequence[str], *, words: int = 1) -> list[str]:
    """Return the first two lines of a Markdown table.

    Args:
        names: Names of the columns.
        words: Number of columns, from the left, of text; the others are numbers, aligned right.
    """
    rule = ["---"] * words + ["---:"] * (len(names) - words)
    return [markdown_row(names), f"|{'|'.join(rule)}|"]


def format_size(size_bytes: int) -> str:
    """Return a file size: "927 B", "14.8 kB", "3.7 MB" (powers of 1000)."""
    size, unit = float(size_bytes), "B"
    for larger in ("kB", "MB", "GB"):
        if size < 999.5:
            break
        size, unit = size / 1000, larger
    return f"{size:.0f} {unit}" if unit == "B" or size >= 99.95 else f"{size:.1f} {unit}"


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()


def _name_error(text: object) -> str:
    return type(text).__name__ if isinstance(text, BaseException) else ""
