"""Give a Keras file the suffix by which Keras chooses how to read it. Standard library only."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from edgeemo.model.file_kind import recognise

if TYPE_CHECKING:
    from collections.abc import Iterator

_SUFFIXES = {"keras": (".keras",), "h5": (".h5", ".hdf5")}


@contextmanager
def name_by_content(path: Path) -> Iterator[Path]:
    """Yield a path of the same file whose suffix fits its content: `path`, or a link to it.

    Args:
        path: A file or folder of any kind, such as ``MODEL.KERAS``.
    """
    suffixes = _SUFFIXES.get(recognise(path) or "")
    if suffixes is None or path.name.endswith(suffixes):
        yield path
        return
    with TemporaryDirectory() as folder:
        named = Path(folder) / f"model{suffixes[0]}"
        try:
            named.symlink_to(path.resolve())
        except OSError:  # Windows allows links to some users only
            shutil.copyfile(path, named)
        yield named
