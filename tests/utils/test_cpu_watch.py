"""Work that stands still because nodes were lost."""

from __future__ import annotations

import signal
from queue import Queue
from types import SimpleNamespace

import pytest

from edgeemo.errors import ClusterError
from edgeemo.utils import cpu_watch
from edgeemo.utils.cpu_watch import CpuWatch, check_nodes
from edgeemo.utils.progress import Silent


class Cluster(Silent):
    """A cluster whose CPUs and clock the test sets, and a `Progress`."""

    def __init__(self) -> None:
        self.resources = {"CPU": 2.0}
        self.now = 0.0
        self.notes: list[str] = []

    def cluster_resources(self) -> dict[str, float]:
        return self.resources

    def monotonic(self) -> float:
        return self.now

    def note(self, text: str) -> None:
        self.notes.append(text)


def test_lost_nodes_are_told_once_and_waited_for_not_for_ever(monkeypatch):
    cluster = Cluster()
    monkeypatch.setattr(cpu_watch, "time", cluster)
    watch = CpuWatch(cluster, cpus=2, progress=cluster)

    def wait(seconds: int) -> None:
        for _ in range(seconds):
            cluster.now += 1
            watch.check()

    wait(1000)
    assert not cluster.notes
    cluster.resources = {"CPU": 1.0}
    wait(250)
    told = ["Waiting for nodes: nodes were lost, and the cluster has 1 of 2 CPUs."]
    assert cluster.notes == told
    cluster.resources = {"CPU": 3.0}
    wait(1000)
    cluster.resources = {}
    with pytest.raises(ClusterError, match="lost, and the cluster has 0 of 2 CPUs for 300 s now"):
        wait(320)
    assert len(cluster.notes) == 2


def test_a_wait_for_lost_nodes_ends(monkeypatch):
    cluster = Cluster()
    monkeypatch.setattr(cpu_watch, "_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(cpu_watch, "_PATIENCE_SECONDS", 0.05)
    watch = CpuWatch(cluster, cpus=3, remedy="try again", progress=cluster)
    ends = pytest.raises(ClusterError, match=r"has 2 of 3 CPUs for 0\.05 s now; try again")
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with ends, watch.end_block():
            Queue().get(timeout=60)
    finally:
        signal.signal(signal.SIGINT, handler)


def test_a_task_that_no_node_has_room_for():
    nodes = [
        {"Alive": True, "Resources": {"CPU": 2.0}},
        {"Alive": True, "Resources": {"CPU": 1.0, "GPU": 1.0}},
        {"Alive": False, "Resources": {"CPU": 64.0, "GPU": 8.0}},
    ]
    ray = SimpleNamespace(nodes=lambda: nodes)
    check_nodes(ray, cpus=2, gpus=0.5, purpose="")
    message = "--gpus 2 requires 2 GPUs on one machine, and the largest has 1; lower"
    with pytest.raises(ClusterError, match=message):
        check_nodes(ray, gpus=2, purpose="--gpus 2")
