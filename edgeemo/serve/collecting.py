"""Faces that a person labels on the page, kept to train on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from edgeemo.live.observation import Observation, TrackedFace


class Collector(Protocol):
    """Keeps faces with the label that a person gave."""

    def keep_labelled(self, seen: Observation, face: TrackedFace, label: str) -> str:
        """Keep a face; return the name of its file."""
