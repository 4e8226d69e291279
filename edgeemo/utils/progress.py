"""How long-running library code tells whoever called it where it is. It never prints."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receiver of progress; the command line draws it, a library caller may ignore it."""

    def stage(self, name: str, *, total: int | None = None) -> None:
        """Begin a stage of `total` steps, None where unknown."""

    def advance(self, steps: int = 1, *, detail: str = "") -> None:
        """Count steps of the current stage as done; `detail` is a short text to show beside it."""

    def note(self, text: str) -> None:
        """Something that the user should read and that stays on the screen."""


class Silent:
    """A `Progress` that drops everything."""

    def stage(self, name: str, *, total: int | None = None) -> None:
        """Do nothing."""

    def advance(self, steps: int = 1, *, detail: str = "") -> None:
        """Do nothing."""

    def note(self, text: str) -> None:
        """Do nothing."""
