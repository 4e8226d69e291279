"""How long-running library code tells whoever called it where it is. It never prints."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receiver of progress; the command line draws it, a library caller may ignore it."""

    def stage(self, name: str, *, total: int | None = None) -> None:
        """A new stage begins; `total` is its number of steps, None where unknown."""

    def advance(self, steps: int = 1, *, detail: str = "") -> None:
        """Some steps of the current stage are done; `detail` is a short text to show beside it."""

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
