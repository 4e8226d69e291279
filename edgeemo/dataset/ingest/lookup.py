"""Find files by their SHA-256. Standard library only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.dataset.ingest.folders import walk_files
from edgeemo.errors import DatasetError
from edgeemo.utils.files import sha256_file
from edgeemo.utils.progress import Silent

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from edgeemo.utils.paths import StrPath
    from edgeemo.utils.progress import Progress


def locate_files(
    root: StrPath,
    hashes: Collection[str],
    *,
    hint: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> dict[str, Path]:
    """Find the files with given SHA-256 below a folder.

    Paths in `hint` are tried first, then files of the same names, then all others; the search
    ends as soon as every file is found.

    Args:
        root: The folder to search.
        hashes: SHA-256 of the files, hexadecimal.
        hint: Likely path of the file, relative to `root`, for some of the hashes.
        progress: Receives the progress.

    Returns:
        The path of each file, by hash, without those that are not found.

    Raises:
        DatasetError: If there is no such folder, or part of it cannot be read.
    """
    root = Path(root)
    if not root.is_dir():
        raise DatasetError(f"{root}: no such folder")
    progress = progress or Silent()
    missing, hint = set(hashes), hint or {}
    found: dict[str, Path] = {}
    progress.stage("Finding the images", total=len(missing))
    for path in _candidates(root, missing, hint):
        sha256 = _hash(path)
        if sha256 in missing:
            missing.remove(sha256)
            found[sha256] = path
            progress.advance()
        if not missing:
            break
    return found


def _candidates(root: Path, missing: set[str], hint: Mapping[str, str]) -> Iterator[Path]:
    """Yield every file once, the likeliest first; stop when nothing is missing any more."""
    hinted = {root / hint[sha256]: None for sha256 in sorted(missing) if sha256 in hint}
    yield from hinted
    if not missing:
        return
    folders = _list_linked(root) or [root]
    others = [path for folder in folders for path in walk_files(folder) if path not in hinted]
    names = {path.name for path in hinted}
    yield from _sort_by_name(others, names)


def _list_linked(root: Path) -> list[Path]:
    """Return the folders that links lead to, where there is nothing else in a folder."""
    try:
        entries = sorted(root.iterdir())
    except OSError:  # the walk will say so
        return []
    return entries if all(path.is_symlink() and path.is_dir() for path in entries) else []


def _sort_by_name(paths: Iterable[Path], names: set[str]) -> list[Path]:
    return sorted(paths, key=lambda path: path.name not in names)


def _hash(path: Path) -> str | None:
    try:
        blocks = path.exists() and not path.is_file()  # a pipe, a device
        return None if blocks else sha256_file(path)
    except OSError:  # missing or unreadable: not a match
        return None
