"""Controls of a running loop: what another thread may ask of it. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeemo.runtime.classifier import Classifier


@dataclass(kw_only=True)
class Controls:
    """Requests to a running loop, which it takes up with the next frame; any thread may set them.

    Attributes:
        stop: Whether the loop shall end.
        paused: Whether frames are dropped unseen.
        min_confidence: Confidence threshold, 0 to less than 1, below which "not sure" is shown;
            None for the model's.
        classifier: A model to continue with; None for the present one.
    """

    stop: bool = False
    paused: bool = False
    min_confidence: float | None = None
    classifier: Classifier | None = None
