"""Writing so that nothing is ever half-written, and hashing. Standard library only.

A file or folder is made beside its place under a hidden name, `.NAME.partial-PID`, and renamed when
it is complete. What a killed process left behind is never mistaken for the real thing, and the next
writer of the same name removes it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PARTIAL = ".partial-"
_OLD = "-old"


def sha256_file(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes, read in constant memory."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_file(path: Path, content: bytes | str) -> Path:
    """Write a whole file or nothing: beside its place first, then renamed over it.

    Args:
        path: Where the file goes; its folder must exist.
        content: Bytes, or text that is written as UTF-8 with Unix line ends.

    Returns:
        `path`.
    """
    with replacing(path) as partial:
        partial.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a hidden path beside `path` to write to; renamed to `path` if the block succeeds."""
    partial = _partial_path(path)
    try:
        yield partial
        _sync(partial)
        partial.replace(path)
    except OSError as error:  # a full disk is reported without saying which file
        error.filename = error.filename or str(path)
        raise
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def new_folder(path: Path, *, replace: bool = False) -> Iterator[Path]:
    """Yield a hidden folder beside `path` to fill; renamed to `path` if the block succeeds.

    Args:
        path: The folder to make. Its parents are created; where the block fails, they go again.
        replace: Whether an existing folder of that name gives way. It stays untouched until the
            new one is complete.

    Yields:
        The folder to write into.

    Raises:
        FileExistsError: If `path` exists and `replace` is false.
    """
    if path.exists() and not replace:
        raise FileExistsError(17, "exists already", str(path))
    missing = [parent for parent in path.parents if not parent.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = _partial_path(path)
    partial.mkdir()
    try:
        yield partial
        _swap_in(partial, path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        with suppress(OSError):  # not empty: something is there that shall stay
            for parent in missing:
                parent.rmdir()


def _swap_in(partial: Path, path: Path) -> None:
    if not path.exists():
        partial.rename(path)
        return
    old = path.with_name(f".{path.name}{_PARTIAL}{os.getpid()}{_OLD}")
    path.rename(old)
    partial.rename(path)
    shutil.rmtree(old)


def _partial_path(path: Path) -> Path:
    for stale in path.parent.glob(f".{path.name}{_PARTIAL}*"):
        if _is_alive(stale.name.rsplit(_PARTIAL, 1)[1]):
            continue
        if stale.name.endswith(_OLD) and not path.exists():
            stale.rename(path)  # killed between the two renames of _swap_in: bring it back
        else:
            shutil.rmtree(stale) if stale.is_dir() else stale.unlink()
    return path.with_name(f".{path.name}{_PARTIAL}{os.getpid()}")


def is_running(process: int) -> bool:
    """Whether a process of that number runs, whoever started it."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _is_alive(owner: str) -> bool:
    number = owner.removesuffix(_OLD)
    return number.isdecimal() and is_running(int(number))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
