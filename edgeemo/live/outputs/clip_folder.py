"""The folder of clips: whole files only, and the oldest removed where it would grow too large."""

from __future__ import annotations

import re
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from edgeemo.utils.file_names import fit_name
from edgeemo.utils.files import scratch_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_OURS = re.compile(r".+_face-\d+_.+\.mp4")
"""Name of a clip: other files of the folder are nobody's business."""
_ODD = re.compile(r"[^\w.-]+")


class ClipFolder:
    """A folder of clips.

    Args:
        path: The folder; it is made.
        keep_bytes: Most that the clips may take together.
        report: Receives a line when a single clip is larger than that.

    Raises:
        OSError: If it cannot be made.
    """

    def __init__(self, path: Path, *, keep_bytes: int, report: Callable[[str], None]) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self.path, self._keep_bytes, self._report = path, keep_bytes, report

    @contextmanager
    def add(self, name: str) -> Iterator[Path]:
        """Yield a path to write a clip to; it becomes one of the folder when the block succeeds.

        Args:
            name: Beginning of its name, such as the time.

        Raises:
            OSError: If it cannot be written.
        """
        with scratch_folder(self.path / "clip") as scratch:
            file = scratch / "clip.mp4"
            yield file
            size = file.stat().st_size if file.exists() else 0
            if not size:
                return
            if size > self._keep_bytes:
                self._report(f"{self.path}: a clip is larger than --keep allows; it is left out")
                return
            self._make_room(size)
            file.rename(self._find_free(name))

    def _make_room(self, size: int) -> None:
        """Remove the oldest clips until another one of a size has room."""
        clips = []
        for file in self.path.iterdir():
            with suppress(OSError):  # somebody else has removed it
                if _OURS.fullmatch(file.name) and file.is_file():
                    status = file.stat()
                    clips.append((status.st_mtime_ns, file.name, status.st_size, file))
        total = size + sum(each[2] for each in clips)
        for _, _, old, file in sorted(clips):
            if total <= self._keep_bytes:
                return
            file.unlink(missing_ok=True)
            total -= old

    def _find_free(self, name: str) -> Path:
        stem, number = _ODD.sub("-", name), 1
        while True:
            end = f"-{number}.mp4" if number > 1 else ".mp4"
            path = self.path / fit_name(stem, end, folder=self.path)
            if not path.exists():
                return path
            number += 1
