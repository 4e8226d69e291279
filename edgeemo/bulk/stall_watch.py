"""Watch whether work on a Ray cluster stands still because the network of a node was cut."""

from __future__ import annotations

import time
from typing import Any

from edgeemo.errors import ClusterError
from edgeemo.utils.cpu_watch import CpuWatch

_STALL_SECONDS = 60
"""Seconds without a result after a node was lost; Ray needs 10 where its connections are closed."""


class StalledError(ClusterError):
    """Blocks that a lost node had, which Ray does not miss for minutes."""


class StallWatch(CpuWatch):
    """Also ends work that a lost node has, which a cut network does not close: start it again."""

    def __init__(self, ray: Any, **options: Any) -> None:
        super().__init__(ray, **options)
        self._nodes = self._find_nodes()
        self._lost: float | None = None
        self._result = time.monotonic()

    def note_result(self) -> None:
        """Note that a block is finished."""
        self._result = time.monotonic()

    def check(self) -> None:
        """See `CpuWatch`.

        Raises:
            StalledError: If nothing has been finished for long since a node was lost.
        """
        super().check()
        now, nodes = time.monotonic(), self._find_nodes()
        if self._nodes - nodes:
            self._lost = now
        self._nodes = nodes
        if self._lost is not None and now - max(self._lost, self._result) > _STALL_SECONDS:
            raise StalledError("a node was lost")

    def _find_nodes(self) -> set[str]:
        return {node["NodeID"] for node in self._ray.nodes() if node["Alive"]}
