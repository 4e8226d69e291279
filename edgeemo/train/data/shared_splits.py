"""Splits of images for processes on other machines: the rows stay in files, and are hashed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.utils.files import sha256_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from edgeemo.train.data.pipeline import Pixels


@dataclass(frozen=True, kw_only=True)
class SharedSplits:
    """Splits whose rows are in files.

    Attributes:
        splits: The splits by name, without their rows.
        files: File of each split's rows, on the machine that made them.
        hashes: SHA-256 of each file.
    """

    splits: Mapping[str, Pixels]
    files: Mapping[str, Path]
    hashes: Mapping[str, str]

    def open(self, name: str, rows: NDArray[np.uint8] | None = None) -> Pixels:
        """Return a split with its rows: those given, else those of its file, mapped.

        Raises:
            OSError: If there is no such file on this machine.
            ValueError: If the rows are others.
        """
        split, path = self.splits[name], self.files[name]
        if rows is None and len(split):
            shape = (len(split), *split.rows.shape[1:])
            rows = np.asarray(np.memmap(path, np.uint8, mode="r", shape=shape))
        rows = split.rows if rows is None else rows
        if sha256(np.ascontiguousarray(rows).data).hexdigest() != self.hashes[name]:
            raise ValueError(f"other images than where the command was started ({path})")
        return replace(split, rows=rows)


def share_splits(splits: Mapping[str, Pixels], folder: Path) -> SharedSplits:
    """Return splits for other processes.

    Args:
        splits: Splits by name.
        folder: Receives the rows that are in memory only.
    """
    files = {name: pixels.file or folder / name for name, pixels in splits.items()}
    for name, pixels in splits.items():
        if pixels.file is None:
            files[name].write_bytes(pixels.rows.tobytes())
    return SharedSplits(
        splits={
            name: replace(each, rows=each.rows[:0], file=None) for name, each in splits.items()
        },
        files={name: path.absolute() for name, path in files.items()},
        hashes={name: sha256_file(path) for name, path in files.items()},
    )
