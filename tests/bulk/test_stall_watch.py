"""Work that stands still because the network of a node was cut."""

from __future__ import annotations

import pytest

from edgeemo.bulk import stall_watch
from edgeemo.bulk.stall_watch import StalledError, StallWatch
from edgeemo.utils import cpu_watch
from edgeemo.utils.progress import Silent


class Cluster:
    """A cluster of three nodes, and a clock."""

    def __init__(self) -> None:
        self.alive, self.now = {"a", "b", "c"}, 0.0

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": float(len(self.alive))}

    def nodes(self) -> list[dict[str, object]]:
        return [{"NodeID": name, "Alive": name in self.alive} for name in "abc"]

    def monotonic(self) -> float:
        return self.now


def test_work_stalls_only_where_a_node_was_lost_and_nothing_comes(monkeypatch):
    cluster = Cluster()
    for module in (stall_watch, cpu_watch):
        monkeypatch.setattr(module, "time", cluster)
    watch = StallWatch(cluster, cpus=1, progress=Silent())

    def wait(seconds: int, *, results: bool = False) -> None:
        for _ in range(seconds):
            cluster.now += 1
            watch.check()
            if results:
                watch.note_result()

    wait(500)  # a slow block is no stall
    cluster.alive = {"a", "b"}
    wait(300, results=True)
    wait(50)
    with pytest.raises(StalledError):
        wait(20)
