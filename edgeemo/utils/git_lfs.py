"""What git leaves of a large file where Git LFS is not installed. Standard library only."""

from __future__ import annotations

LFS_BEGIN = b"version https://git-lfs"
"""Beginning of such a pointer."""


def describe_pointer(content: bytes, kind: str) -> str:
    """Return what a file is, with the remedy, if it is a Git LFS pointer; else "".

    Args:
        content: The file's content, or its first bytes.
        kind: What it should be, such as "model".
    """
    is_pointer = content.startswith(LFS_BEGIN)
    return f"a Git LFS pointer, not the {kind}: git lfs pull" if is_pointer else ""
