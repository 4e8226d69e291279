"""Image formats and colour modes, as Pillow names them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.dataset.ingest.options import ALWAYS_ACCEPTED

if TYPE_CHECKING:
    from collections.abc import Iterable

_GREY_MODES = ("1", "L", "LA", "I", "F")


def list_accepted_formats(accept: Iterable[str]) -> frozenset[str]:
    """Return the accepted formats: JPEG, PNG, BMP and the given ones."""
    return frozenset(name.upper() for name in (*ALWAYS_ACCEPTED, *accept))


def is_grey(mode: str) -> bool:
    """Return whether images of a colour mode have no colours."""
    return mode in _GREY_MODES or mode.startswith("I;16")
