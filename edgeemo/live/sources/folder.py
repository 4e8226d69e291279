"""A folder in which images appear, such as one to which a camera uploads."""

from __future__ import annotations

import os
import stat
import time
from collections import deque
from threading import Event as Flag
from typing import TYPE_CHECKING

from edgeemo.errors import SourceError
from edgeemo.imaging.limits import MAX_FILE_BYTES
from edgeemo.imaging.suffixes import format_by_name, is_ignored
from edgeemo.live.frame import Frame
from edgeemo.live.pixels import JpegPixels
from edgeemo.live.sources.base import NoFrameYetError

if TYPE_CHECKING:
    from collections.abc import Iterator

SCAN_S = 0.2
"""Seconds between two looks at the folder. inotify would be silent on network file systems."""

_TELL_S = 1.0
_CHECKED = 200
"""Number of known files that a look checks for another size, so that thousands cost little."""

_Stamp = tuple[int, int]
"""Time of the last change, in ns, and size of a file."""


class WatchedFolder:
    """A folder as a source: every image that appears in it, or changes, once it is complete.

    Images that are there when it is first opened are not read; those that appear while it is away
    are.

    Args:
        path: The folder; the folders in it are not searched.
    """

    is_live, is_device, can_reopen = True, False, True

    def __init__(self, path: str) -> None:
        self.name = path
        self._known: dict[str, _Stamp] | None = None

    def open(self) -> FolderStream:
        """See `edgeemo.live.sources.base.Source.open`."""
        if self._known is None:
            known = {name: _stamp(self.name, name) for name in _list_images(self.name)}
            self._known = {name: stamp for name, stamp in known.items() if stamp}
        else:
            _list_images(self.name)
        return FolderStream(self.name, self._known)


class FolderStream:
    """The images that appear in a folder.

    Args:
        path: The folder.
        known: Files that were read, which are kept up to date.
    """

    def __init__(self, path: str, known: dict[str, _Stamp]) -> None:
        self._path, self._known = path, known
        self._growing: dict[str, _Stamp] = {}
        self._ready: deque[str] = deque()
        self._rounds = self._rotate()
        self._closed = Flag()
        self._number = 0

    def read(self) -> Frame | None:
        """See `edgeemo.live.sources.base.FrameStream.read`.

        Raises:
            SourceError: If the folder has gone.
            NoFrameYetError: If there is no new image.
        """
        ends = time.monotonic() + _TELL_S
        while not self._closed.is_set():
            while self._ready:
                if (frame := self._make_frame(self._ready.popleft())) is not None:
                    return frame
            self._scan()
            if not self._ready:
                if time.monotonic() > ends:
                    raise NoFrameYetError
                self._closed.wait(SCAN_S)
        return None

    def close(self) -> None:
        """See `edgeemo.live.sources.base.FrameStream.close`."""
        self._closed.set()

    def _make_frame(self, name: str) -> Frame | None:
        try:
            with open(os.path.join(self._path, name), "rb") as file:  # noqa: PTH118, PTH123
                content = file.read(MAX_FILE_BYTES + 1)
        except OSError:  # it has gone already, or is of somebody else
            return None
        number, self._number = self._number, self._number + 1
        return Frame(number=number, time_s=time.monotonic(), pixels=JpegPixels(content), name=name)

    def _scan(self) -> None:
        """Find the files that are new or have changed, and have the size of the look before."""
        names = _list_images(self._path)
        for name in self._known.keys() - names:
            del self._known[name]
        new = names - self._known.keys() | self._growing.keys()
        growing: dict[str, _Stamp] = {}
        complete: list[tuple[int, str]] = []
        for name in new | self._next_round():
            stamp = _stamp(self._path, name)
            if stamp is None or stamp == self._known.get(name):
                continue
            if stamp == self._growing.get(name):
                self._known[name] = stamp
                complete.append((stamp[0], name))
            else:
                growing[name] = stamp
        self._growing = growing
        self._ready.extend(name for _, name in sorted(complete))

    def _next_round(self) -> set[str]:
        """Return the known files whose turn it is."""
        return set(next(self._rounds))

    def _rotate(self) -> Iterator[list[str]]:
        while True:
            names = list(self._known)
            yield from (names[at : at + _CHECKED] for at in range(0, len(names) or 1, _CHECKED))


def _list_images(folder: str) -> set[str]:
    """Return the names of a folder's image files.

    Raises:
        SourceError: If it cannot be read.
    """
    try:
        names = os.listdir(folder)  # noqa: PTH208 - pathlib is slow
    except OSError as error:
        reason = "the folder has gone" if isinstance(error, FileNotFoundError) else error.strerror
        raise SourceError(f"{folder}: {reason}") from None
    return {name for name in names if format_by_name(name) and not is_ignored(name)}


def _stamp(folder: str, name: str) -> _Stamp | None:
    """Return the stamp of a file; None of one that is empty, has gone or is no file."""
    try:
        found = os.stat(os.path.join(folder, name))  # noqa: PTH116, PTH118
    except OSError:
        return None
    if not stat.S_ISREG(found.st_mode) or not found.st_size:
        return None
    return found.st_mtime_ns, found.st_size
