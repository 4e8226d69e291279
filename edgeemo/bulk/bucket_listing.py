"""What lies in the folders of a bucket. Standard library only."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_FRESH_S = 60
"""Seconds for which a listing is used again."""
_FOLDERS, _FILES = 1024, 100_000
"""Listings that are kept and files in them, beyond which a further one replaces them all."""


class Listing(NamedTuple):
    """What lies in a folder of a bucket.

    Attributes:
        folders: Names of the sub-folders, sorted.
        files: Names of the files, sorted, and their sizes in bytes.
    """

    folders: tuple[str, ...]
    files: dict[str, int]


class KeptListings:
    """The listings of a bucket's folders of the last minute, not many at a time."""

    def __init__(self) -> None:
        self._listings: dict[str, tuple[float, Listing]] = {}
        self._files = 0

    def add(self, found: Mapping[str, Listing]) -> None:
        """Keep listings, by the keys of their folders."""
        if len(self._listings) > _FOLDERS or self._files > _FILES:
            self._listings, self._files = {}, 0
        now = time.monotonic()
        self._listings |= {key: (now, listing) for key, listing in found.items()}
        self._files += sum(len(listing.files) for listing in found.values())

    def get(self, key: str) -> Listing | None:
        """Return what lies in a folder; None where that is not known any more."""
        since, listing = self._listings.get(key, (0.0, None))
        return listing if time.monotonic() - since <= _FRESH_S else None


def join_key(parent: str, name: str) -> str:
    """Return the key of a name in a folder, either of which may be empty."""
    return f"{parent}/{name}" if parent and name else parent or name


def sort_entries(found: Iterable[Any], path: str, key: str) -> dict[str, Listing]:
    """Return the listing of each folder, by its key.

    Args:
        found: pyarrow's `FileInfo` of all that lies in a folder, or also below it.
        path: Path of that folder, with the bucket's name.
        key: Its key.
    """
    folders: dict[str, set[str]] = {key: set()}
    files: dict[str, dict[str, int]] = {key: {}}
    for info in sorted(found, key=lambda info: info.path):
        below = info.path[len(path) + 1 :].rstrip("/")
        parent, _, name = below.rpartition("/")
        if not below:  # the marker of the folder itself
            continue
        if info.is_file and not info.path.endswith("/"):
            files.setdefault(join_key(key, parent), {})[name] = info.size
        else:
            folders.setdefault(join_key(key, below), set())
        while below := below.rpartition("/")[0]:
            folders.setdefault(join_key(key, below), set())
    for each in [*folders]:
        if each != key:
            parent, _, name = each.rpartition("/")
            folders.setdefault(parent, set()).add(name)
    return {
        each: Listing(tuple(sorted(names)), files.get(each, {})) for each, names in folders.items()
    }
