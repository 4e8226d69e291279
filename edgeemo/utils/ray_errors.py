"""Errors of Ray in one line. Does not import it."""

from __future__ import annotations

import re

from edgeemo.utils.text import one_line

_FULL = re.compile("OutOfDisk|ObjectStoreFull|object store is full|No space left on device")
_COLOURS = re.compile(r"\x1b\[[\d;]*m")
_LENGTH = 300


def describe_ray_error(error: Exception) -> str:
    """Return in one line, without colours, why Ray or one of its processes has failed.

    Args:
        error: Any exception that Ray raises.
    """
    while isinstance(cause := getattr(error, "cause", None), Exception):  # where it was raised
        error = cause
    text = one_line(_COLOURS.sub("", str(error)) or error)
    if _FULL.search(text):
        return (
            "the disk of Ray's files is full on a node, and its object store may be, too; free "
            "some, or start Ray with more --object-store-memory"
        )
    return text[:_LENGTH]
