"""The keeper of a training, which has its checkpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.train.keeper import Keeper
from edgeemo.utils.files import write_file

if TYPE_CHECKING:
    from pathlib import Path

    from edgeemo.train.data.shared_splits import SharedSplits


class TrainingKeeper(Keeper):
    """Keeps the checkpoint of a training, too.

    Args:
        images: The splits.
        state: File of the checkpoint.
    """

    def __init__(self, images: SharedSplits, state: Path) -> None:
        super().__init__(images)
        self._state = state
        self._problem = ""

    def read_state(self) -> bytes | None:
        """Return the content of the checkpoint; None before the first."""
        return self._state.read_bytes() if self._state.exists() else None

    def write_state(self, content: bytes) -> None:
        """Write the content of a checkpoint in place of the one before."""
        write_file(self._state, content)

    def note_problem(self, text: str) -> None:
        """Note why a worker cannot take part."""
        self._problem = self._problem or text

    def read_problem(self) -> str:
        """Return why a worker cannot take part; "" if all can."""
        return self._problem
