"""Locks on files and folders, for processes that write to one place. Standard library only.

A lock (``flock``) belongs to an open file and not to a process number: the kernel releases it when
the process ends, however it ends, and it holds between containers, in which every process may have
number 1. On a file system without locks, and on Windows, nothing is refused and nothing counts as
abandoned.
"""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

try:
    import fcntl
except ImportError:
    _HAS_LOCKS = False  # Windows
else:
    _HAS_LOCKS = True

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def hold(path: Path) -> Iterator[None]:
    """Hold the lock of an existing file or folder inside the block.

    Raises:
        BlockingIOError: If another process holds it.
    """
    descriptor = open_lock(path)
    try:
        if try_lock(descriptor) is False:
            raise busy_error(path)
        yield
    finally:
        close_lock(descriptor)


def is_held(path: Path) -> bool | None:
    """Return whether a process holds the lock of a file or folder.

    Returns:
        None where that cannot be told: it is gone, may not be read, or cannot be locked.
    """
    try:
        descriptor = open_lock(path)
    except OSError:
        return None
    try:
        locked = try_lock(descriptor)
    finally:
        close_lock(descriptor)
    return None if locked is None else not locked


def open_lock(path: Path) -> int:
    """Return a descriptor for `try_lock`; -1 on Windows, where it would stand in the way."""
    return os.open(path, os.O_RDONLY) if _HAS_LOCKS else -1


def close_lock(descriptor: int) -> None:
    """Close a descriptor of `open_lock`, which releases its lock."""
    if descriptor >= 0:
        os.close(descriptor)


def try_lock(descriptor: int) -> bool | None:
    """Lock an open file or folder until its descriptor is closed, without waiting.

    Returns:
        False if another process holds the lock, None if the file system or the system has no locks.
    """
    if not _HAS_LOCKS:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def busy_error(path: Path) -> BlockingIOError:
    """Return the error about a file or folder that another process is writing."""
    return BlockingIOError(errno.EAGAIN, "another process is writing it; wait for it", str(path))
