"""Find images again by their bytes, wherever they lie now. Standard library only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.dataset.ingest.find import walk_files
from edgeemo.errors import DatasetError
from edgeemo.utils.files import sha256_file
from edgeemo.utils.progress import Silent

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from edgeemo.utils.progress import Progress


def locate_files(
    root: Path,
    hashes: Collection[str],
    *,
    hint: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> dict[str, Path]:
    """Find the files with these SHA-256 below a folder.

    The places in `hint` are looked at first, then files named as in `hint`, then all others; it
    ends as soon as everything is found.

    Args:
        root: The folder to search.
        hashes: SHA-256 of the files wanted, hexadecimal.
        hint: For some of the hashes, where the file may be, relative to `root`.
        progress: Who is told how many are found.

    Returns:
        The path of each file found, by hash; those that are nowhere are absent.

    Raises:
        DatasetError: If there is no such folder, or part of it cannot be read.
    """
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
    """Every file once, the likeliest first; others only if `missing` has not shrunk to nothing."""
    hinted = {root / hint[sha256]: None for sha256 in sorted(missing) if sha256 in hint}
    yield from hinted
    if not missing:
        return
    others = [path for path in walk_files(root) if path not in hinted]
    names = {path.name for path in hinted}
    yield from _named_first(others, names)


def _named_first(paths: Iterable[Path], names: set[str]) -> list[Path]:
    return sorted(paths, key=lambda path: path.name not in names)


def _hash(path: Path) -> str | None:
    try:
        return sha256_file(path)
    except OSError:  # not there, or not readable: it is not the one, or cannot serve
        return None
