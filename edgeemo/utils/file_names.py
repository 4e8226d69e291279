"""Names of files, short enough for a file system. Standard library only."""

from __future__ import annotations

import hashlib
import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_NAME_MAX = 255
"""Bytes of a file's name, where the file system does not say."""
_HALVES = "".join(map(chr, range(0xDC80, 0xDD00)))
"""Bytes that are no characters, as `os.fsdecode` returns them."""


# Control characters, and what separates folders or drives on some system.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f/\\\u2028\u2029]|^[A-Za-z]:")


def make_safe_name(text: str) -> str:
    """Return text as the name of one file or folder, which leads nowhere else and is not hidden.

    Args:
        text: Any text, such as a part of a key in a bucket; it stays as it is if it can.
    """
    name = _UNSAFE.sub("_", text) or "_"
    return cut_name(f"_{name}" if name.startswith(".") else name, _NAME_MAX)


def fit_name(begin: str, end: str = "", *, folder: Path | None = None) -> str:
    """Return the name of a file, short enough for a file system.

    Args:
        begin: First part of the name; it is cut where the name would be too long, and told apart
            from others by a digest.
        end: Second part.
        folder: Folder of the file, which may allow for shorter names than most.
    """
    longest = longest_name(folder) if folder else _NAME_MAX
    return f"{cut_name(begin, longest - len(os.fsencode(end)))}{end}"


def cut_name(name: str, room: int) -> str:
    """Return a name of at most `room` bytes, without half a character at the cut."""
    encoded = os.fsencode(name)
    if len(encoded) <= room:
        return name
    digest = f"~{hashlib.sha256(encoded).hexdigest()[:8]}"
    kept = os.fsdecode(encoded[: room - len(digest)])
    return f"{kept.rstrip(_HALVES)}{digest}"


def longest_name(folder: Path) -> int:
    """Return the number of bytes that the name of a file in a folder may have."""
    try:
        return os.pathconf(folder, "PC_NAME_MAX")
    except (AttributeError, OSError):  # Windows has no such function, or it is not there yet
        return _NAME_MAX
