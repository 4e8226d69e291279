"""A Ray cluster of two nodes on this machine."""

from __future__ import annotations

import os
import signal
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

HELPERS = str(Path(__file__).with_name("bulk") / "helpers")


class Nodes:
    """Two nodes with one CPU each, as two machines have: processes, stores and ports of their own.

    They can import what is in tests/bulk/helpers.

    Args:
        folder: An empty folder with a short path.

    Attributes:
        address: What --cluster takes.
    """

    def __init__(self, folder: str) -> None:
        from ray.cluster_utils import Cluster

        self._folder = folder
        self._node = {"num_cpus": 1, "object_store_memory": 100_000_000}
        head = {
            **self._node,
            "include_dashboard": False,
            "_system_config": {"health_check_period_ms": 1000, "health_check_failure_threshold": 2},
        }
        with self._prepare():
            self._cluster = Cluster(initialize_head=True, head_node_args=head)
        self.address = self._cluster.address
        self._second: Any = None
        self.repair()

    def repair(self) -> None:
        """Add the second node again, if it was lost."""
        if self._second is None:
            with self._prepare():
                self._second = self._cluster.add_node(**self._node)

    def lose_node(self) -> None:
        """Kill the second node."""
        self._cluster.remove_node(self._second, allow_graceful=False)
        self._second = None

    def kill_worker(self) -> None:
        """Kill a process of Ray's that works on a block."""
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
                is_ours = self._folder in Path("/proc", parent, "cmdline").read_text()
                name = (entry / "cmdline").read_text()
                if is_ours and name.startswith("ray::MapBatches(run_block"):
                    os.kill(int(entry.name), signal.SIGKILL)
                    return
            except OSError:
                continue  # it has ended
        pytest.fail("no worker is at work")

    def end(self) -> None:
        """End both."""
        self._cluster.shutdown()

    @contextmanager
    def _prepare(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("RAY_TMPDIR", self._folder)
            patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
            patch.setenv("PYTHONPATH", HELPERS, prepend=os.pathsep)
            yield


@contextmanager
def open_nodes() -> Iterator[Nodes]:
    """Start the nodes, and end them."""
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        nodes = Nodes(folder)
        yield nodes
        nodes.end()
