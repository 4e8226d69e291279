"""Names that a user chooses among, and which of them was probably meant."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

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
