"""Watch whether a Ray cluster still has what some work needs."""

from __future__ import annotations

import math
import os
import signal
import time
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from edgeemo.errors import ClusterError
from edgeemo.utils.text import plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from edgeemo.utils.progress import Progress

_LOOK_SECONDS = 5
_PATIENCE_SECONDS = 300
"""Seconds that lost nodes have to come back, where the work needs them."""


def check_nodes(ray: Any, *, cpus: float = 1, gpus: float = 0, purpose: str) -> None:
    """Refuse a task that no node has room for, for which Ray would wait for ever.

    Args:
        ray: The package, connected.
        cpus: Processors that one task needs.
        gpus: GPUs that one task needs.
        purpose: What needs them, for a message, such as "--threads 4".

    Raises:
        ClusterError: If no node has as many.
    """
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    for name, count in {"CPU": cpus, "GPU": gpus}.items():
        most = max((resources.get(name, 0) for resources in nodes), default=0)
        if most < count:
            raise ClusterError(
                f"{purpose} requires {plural(math.ceil(count), name)} on one machine, and the "
                f"largest has {int(most)}; lower the number, or add a larger one"
            )


class CpuWatch:
    """Watches whether the cluster still has the CPUs and GPUs that some work needs.

    Args:
        ray: The package, connected.
        cpus: Processors without which the work stands still.
        gpus: GPUs without which it does.
        remedy: End of the message of an error.
        progress: Is told what is waited for.
    """

    def __init__(
        self, ray: Any, *, cpus: float, gpus: float = 0, remedy: str = "", progress: Progress
    ) -> None:
        self._ray, self._needed = ray, {"CPU": cpus, "GPU": gpus}
        self._remedy, self._progress = remedy, progress
        self._looked = self._fine = time.monotonic()

    def check(self) -> None:
        """Look, where it is time to.

        Raises:
            ClusterError: If the nodes that were lost have not come back for long.
        """
        now = time.monotonic()
        if now - self._looked < _LOOK_SECONDS:
            return
        there = self._ray.cluster_resources()
        lacking = [name for name, count in self._needed.items() if there.get(name, 0) < count]
        if not lacking:
            self._fine = now
        elif now - self._fine > _PATIENCE_SECONDS:
            problem = f"{self._describe(lacking[0], there)} for {_PATIENCE_SECONDS} s now"
            raise ClusterError("; ".join(filter(None, (problem, self._remedy))))
        elif self._fine == self._looked:
            self._progress.note(f"Waiting for nodes: {self._describe(lacking[0], there)}.")
        self._looked = now

    @contextmanager
    def end_block(self) -> Iterator[None]:
        """Check all the time that a block takes, in which the main thread may wait for Ray.

        Raises:
            ClusterError: As `check`.
        """
        is_over, found = Event(), []

        def look() -> None:
            try:
                while not is_over.wait(_LOOK_SECONDS):
                    self.check()
            except ClusterError as error:
                found.append(error)
                os.kill(os.getpid(), signal.SIGINT)  # also ends a wait for a lock

        Thread(target=look, daemon=True).start()
        try:
            yield
        except KeyboardInterrupt:
            if found:
                raise found[0] from None
            raise
        finally:
            is_over.set()

    def _describe(self, name: str, there: Mapping[str, float]) -> str:
        needed = plural(math.ceil(self._needed[name]), name)
        return f"nodes were lost, and the cluster has {int(there.get(name, 0))} of {needed}"
