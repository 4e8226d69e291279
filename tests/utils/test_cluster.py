"""What is wrong with a cluster, in one line and before Ray is imported."""

from __future__ import annotations

import socket
from types import SimpleNamespace

import pytest

from edgeemo.errors import ClusterError
from edgeemo.utils import cluster
from edgeemo.utils.cluster import AUTO, check_cluster
from edgeemo.utils.progress import Silent


@pytest.fixture
def free_address() -> str:
    """An address at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return f"127.0.0.1:{probe.getsockname()[1]}"


def test_too_many_workers_for_this_machine(monkeypatch):
    monkeypatch.setattr(cluster, "usable_cores", lambda: 2)
    check_cluster(None, cpus=2, purpose="--workers 2")
    with pytest.raises(ClusterError, match="--workers 3 requires 3 CPUs, and this machine has 2"):
        check_cluster(None, cpus=3, purpose="--workers 3")


@pytest.mark.parametrize("address", ["node1", "node1:", ":6379", "ray://node1:10001", "node1:x"])
def test_an_address_that_is_none(address):
    with pytest.raises(ClusterError, match="give HOST:PORT of the head node, as in node1:6379"):
        check_cluster(address, cpus=1, purpose="")


def test_an_address_that_does_not_answer(free_address):
    with pytest.raises(ClusterError, match=f"{free_address}: no answer .Connection refused."):
        check_cluster(free_address, cpus=1, purpose="")


def test_a_cluster_of_this_machine_that_has_ended(free_address, monkeypatch, tmp_path):
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    check_cluster(AUTO, cpus=1, purpose="")
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray" / "ray_current_cluster").write_text(free_address)
    with pytest.raises(ClusterError, match=rf"--cluster auto \({free_address}\): no answer"):
        check_cluster(AUTO, cpus=1, purpose="")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            RuntimeError("Version mismatch: The cluster was started with:\n  Ray: 2.50.0"),
            "node1:1: Version mismatch: The cluster was started with: Ray: 2.50.0; install the",
        ),
        (ConnectionError("Could not find any running Ray instance"), "is no node of a running"),
        (ConnectionError("Failed to connect to Ray cluster"), "does not admit this process; if"),
        (RuntimeError("InvalidAuthToken: Unauthenticated"), "set RAY_AUTH_MODE=token, and copy"),
        (ValueError("odd\nthings"), "--cluster node1:1: odd things"),
    ],
)
def test_what_ray_says_is_one_line(error, message):
    text = cluster._explain(error, "node1:1")
    assert message in text
    assert "\n" not in text


def test_a_share_of_a_gpu_is_told_as_one():
    class Ray(Silent):
        def cluster_resources(self) -> dict[str, float]:
            return {"CPU": 2.0}

        available_resources = cluster_resources

    with pytest.raises(ClusterError, match=r"--gpus 0\.5 requires 1 GPU, and the cluster has 0"):
        cluster._check_resources(Ray(), {"CPU": 1, "GPU": 0.5}, "a:1", "--gpus 0.5", Ray())


def test_what_fails_within_a_connection_is_one_line(monkeypatch, tmp_path):
    class RayError(Exception):
        pass

    class RayActorError(RayError):
        pass

    ray = SimpleNamespace(
        exceptions=SimpleNamespace(RayError=RayError, RayActorError=RayActorError),
        cluster_resources=lambda: {"CPU": 1.0},
        available_resources=lambda: {"CPU": 1.0},
        shutdown=lambda: None,
    )
    monkeypatch.setattr(cluster, "_connect", lambda *_, **__: ray)
    monkeypatch.setattr(cluster.signal, "signal", lambda *_: None)
    for error, message in (
        (RayActorError("class_name: Keeper\nactor_id"), "a process of Ray's on this machine has"),
        (RayError("odd\nthings"), "^Ray has ended the work: odd things$"),
    ):
        with (
            pytest.raises(ClusterError, match=message),
            cluster.open_cluster(None, cpus=1, purpose="", folder=tmp_path, progress=Silent()),
        ):
            raise error
