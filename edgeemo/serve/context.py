"""What the routes of a server share."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from edgeemo.serve.problems import ProblemError

if TYPE_CHECKING:
    from edgeemo.live.controls import Controls
    from edgeemo.serve.access import Access
    from edgeemo.serve.collecting import LabelledFaces
    from edgeemo.serve.counters import Counters
    from edgeemo.serve.hub import Hub
    from edgeemo.serve.images import FrameImages
    from edgeemo.serve.limits import Budget, Gate, Limits, Places
    from edgeemo.serve.models import Models
    from edgeemo.serve.state import StateReader


@dataclass(frozen=True, kw_only=True)
class Context:
    """What the routes of a server share.

    Attributes:
        access: Who may use it.
        models: The model.
        hub: What the live run saw last.
        controls: Requests to the live run.
        state: Describes the live run.
        images: The frames as JPEG files.
        limits: Limits of what clients may take.
        gate: Bounds the images that are predicted or wait.
        budget: The memory of all bodies.
        viewers: Bounds pages and streams.
        counters: Numbers for /metrics.
        source: Name of the source; "" without one.
        labelled: Keeps faces with the label that a person gave; None without --collect.
    """

    access: Access
    models: Models
    hub: Hub
    controls: Controls
    state: StateReader
    images: FrameImages
    limits: Limits
    gate: Gate
    budget: Budget
    viewers: Places
    counters: Counters
    source: str = ""
    labelled: LabelledFaces | None = None

    def require_live(self) -> Hub:
        """Return what the live run saw.

        Raises:
            ProblemError: 404 if the server was started without a source.
        """
        if not self.source:
            raise ProblemError(HTTPStatus.NOT_FOUND, "there is no camera: start 'serve SOURCE'")
        return self.hub
