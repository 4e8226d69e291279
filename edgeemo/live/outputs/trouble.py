"""Failures that are reported once, however often they happen."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Trouble:
    """What is wrong with an output that goes on trying.

    Args:
        name: Name of the output.
        report: Receives one line when it fails, and one when it works again.
    """

    def __init__(self, name: str, report: Callable[[str], None]) -> None:
        self._name, self._report = name, report
        self._is_failing = False

    def note(self, reason: str) -> None:
        """Note that it failed; only the first failure in a row is reported."""
        if not self._is_failing:
            self._report(f"{self._name}: {reason}")
        self._is_failing = True

    def clear(self) -> None:
        """Note that it worked."""
        if self._is_failing:
            self._report(f"{self._name}: works again")
        self._is_failing = False
