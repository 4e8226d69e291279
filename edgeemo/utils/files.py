"""Writing so that nothing is ever half-written, and hashing. Standard library only.

A file or folder is made beside its place under a hidden name, ``.NAME.partial-RANDOM``, and renamed
when it is complete. Its writer holds its lock: what a killed process left behind is locked by
nobody, is never mistaken for the real thing, and the next writer of the same name removes it.
"""

from __future__ import annotations

import errno
import hashlib
import os
import time
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from edgeemo.utils.file_names import cut_name, longest_name
from edgeemo.utils.locks import busy_error, close_lock, hold, is_held, open_lock, try_lock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PARTIAL = ".partial-"
_SCRATCH = ".scratch-"
_OLD = "-old"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

_PATIENCE = 1.0
"""Seconds to wait for another process that begins a folder beside this one."""


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


def check_writable(path: Path) -> None:
    """Check that a file or folder can be made, or a folder written to, before any slow work.

    Args:
        path: The file or folder. Nothing is made: of one that is not there yet, the nearest folder
            above it is tried.

    Raises:
        OSError: If it cannot; `filename` is what stands in the way.
    """
    import tempfile

    place = path
    while not os.path.lexists(place):
        place = place.parent
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        error.filename = str(place)
        raise


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a hidden path beside `path` to write to; renamed to `path` if the block succeeds."""
    try:
        with _make_hidden(path, _PARTIAL, folder=False) as partial:
            yield partial
            sync_file(partial)
            partial.replace(path)
    except OSError as error:  # a full disk is reported without saying which file
        if error.filename is None or _PARTIAL in str(error.filename):
            error.filename = str(path)
        raise


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
        FileExistsError: If `path` exists and `replace` is false, now or when the block has ended.
        BlockingIOError: If another process is making the folder, now, or is writing to the existing
            one when the block has ended.
    """
    if os.path.lexists(path) and not replace:
        raise _exists_error(path)
    missing = [parent for parent in path.parents if not parent.exists()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            with _wait_for(path.parent):
                if is_being_made(path):
                    raise busy_error(path)
                partial = stack.enter_context(_make_hidden(path, _PARTIAL, folder=True))
            yield partial
            swap_in(partial, path, replace=replace)
    except OSError as error:
        unnamed = error.filename is None and error.errno in _FULL  # of a write
        if unnamed or f".{path.name}{_PARTIAL}" in str(error.filename):
            error.filename = str(path)
        raise
    finally:
        with suppress(OSError):  # not empty: something is there that shall stay
            for parent in missing:
                parent.rmdir()


@contextmanager
def scratch_folder(beside: Path) -> Iterator[Path]:
    """Yield a hidden folder beside a path for temporary files; removed when the block ends."""
    with _make_hidden(beside, _SCRATCH, folder=True) as folder:
        yield folder


def is_being_made(path: Path) -> bool:
    """Return whether a process is making a folder with `new_folder`."""
    return any(
        is_held(partial) and not partial.name.endswith(_OLD)
        for partial in _list_hidden(path, _PARTIAL)
    )


def remove_abandoned(path: Path) -> None:
    """Remove what killed processes left beside a path: unfinished files, folders and scratch."""
    for suffix in (_PARTIAL, _SCRATCH):
        _sweep(path, suffix)


def hide_name(path: Path, suffix: str) -> Path:
    """Return a path beside `path`: hidden, with its name, ending in `suffix`.

    A name that would become too long is cut, and told apart from others by a digest.
    """
    room = longest_name(path.parent) - len(f".{suffix}{_OLD}")
    return path.with_name(f".{cut_name(path.name, room)}{suffix}")


@contextmanager
def _make_hidden(path: Path, suffix: str, *, folder: bool) -> Iterator[Path]:
    """Yield a new hidden file or folder beside `path` of a random name, locked inside the block.

    What killed processes left under such names is removed first; itself when the block ends.
    """
    _sweep(path, suffix)
    hidden, descriptor = None, -1
    try:
        hidden, descriptor = _create_locked(path, suffix, folder=folder)
        yield hidden
    finally:
        if hidden:
            _remove(hidden)
            close_lock(descriptor)


def _create_locked(path: Path, suffix: str, *, folder: bool) -> tuple[Path, int]:
    """Return the path of a new hidden file or folder, and the descriptor that holds its lock."""
    while True:
        hidden = hide_name(path, f"{suffix}{os.urandom(4).hex()}")
        try:
            hidden.mkdir() if folder else hidden.touch(exist_ok=False)
            descriptor = open_lock(hidden)
            if try_lock(descriptor) is not False and _is_linked(descriptor):
                return hidden, descriptor
            close_lock(descriptor)  # a sweep took it for abandoned before it was locked
        except FileExistsError:
            continue
        except BaseException:
            _remove(hidden)
            raise


def _sweep(path: Path, suffix: str) -> None:
    """Remove what killed processes left of `path` under hidden names."""
    for stale in _list_hidden(path, suffix):
        if is_held(stale) is not False:
            continue
        with suppress(OSError), hold(stale):
            if stale.name.endswith(_OLD) and not os.path.lexists(path):
                stale.rename(path)  # killed between the two renames of swap_in: bring it back
            else:
                _remove(stale)


def swap_in(partial: Path, path: Path, *, replace: bool) -> None:
    """Rename a complete folder to its place.

    Args:
        partial: The folder, beside its place.
        path: Its place.
        replace: Whether the folder that is there goes.

    Raises:
        BlockingIOError: If another process is writing to the folder that is there.
        FileExistsError: If one is there and `replace` is false.
    """
    if replace and os.path.lexists(path):
        import shutil

        old = hide_name(path, f"{_PARTIAL}{os.urandom(4).hex()}")
        old = old.with_name(f"{old.name}{_OLD}")
        with hold(path):
            path.rename(old)
            partial.rename(path)
            shutil.rmtree(old)
        return
    try:
        partial.rename(path)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            raise _exists_error(path) from None
        raise


@contextmanager
def _wait_for(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, if that can be had within `_PATIENCE`."""
    descriptor = open_lock(folder)
    try:
        end = time.monotonic() + _PATIENCE
        while try_lock(descriptor) is False and time.monotonic() < end:
            time.sleep(0.01)
        yield
    finally:
        close_lock(descriptor)


def _list_hidden(path: Path, suffix: str) -> list[Path]:
    start = hide_name(path, f"{suffix}{'0' * 8}").name[:-8]
    try:
        with os.scandir(path.parent) as entries:
            names = [entry.name for entry in entries if entry.name.startswith(start)]
    except OSError:  # it is not there, or may not be read
        return []
    return [path.with_name(name) for name in names]


def _is_linked(descriptor: int) -> bool:
    """Return whether an open file or folder still has a name."""
    return descriptor < 0 or os.fstat(descriptor).st_nlink > 0


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        import shutil

        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _exists_error(path: Path) -> FileExistsError:
    return FileExistsError(errno.EEXIST, "exists already", str(path))


def sync_file(path: Path) -> None:
    """Wait until the content of a file survives a power failure."""
    descriptor = os.open(path, os.O_RDWR if hasattr(os, "O_BINARY") else os.O_RDONLY)
    try:  # Windows refuses to write out what is open for reading alone
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
