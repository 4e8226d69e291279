"""A Ray cluster of two nodes on this machine, for all tests of work on many images."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import pytest

_HELPERS = str(Path(__file__).with_name("helpers"))
sys.path.insert(0, _HELPERS)


@pytest.fixture(scope="session")
def cluster():
    """Two nodes with one CPU each, as two machines have: processes, stores and ports of their own.

    Its `address` is what --cluster takes, and `kill_worker()` kills one of Ray's that works on
    a block. They can import what is in tests/bulk/helpers.
    """
    if not find_spec("ray"):
        if os.environ.get("CI") == "true":
            pytest.fail("Ray is not installed")
        pytest.skip("Ray is not installed")
    with (
        tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("RAY_TMPDIR", folder)
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("PYTHONPATH", _HELPERS, prepend=os.pathsep)
        from ray.cluster_utils import Cluster

        node = {"num_cpus": 1, "object_store_memory": 100_000_000, "include_dashboard": False}
        soon = {"health_check_period_ms": 1000, "health_check_failure_threshold": 2}
        made = Cluster(initialize_head=True, head_node_args={**node, "_system_config": soon})
        made.add_node(**node)
        made.kill_worker = lambda: _kill_worker(folder)
        yield made
        made.shutdown()


def _kill_worker(folder: str) -> None:
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
            is_ours = folder in Path("/proc", parent, "cmdline").read_text()
            if is_ours and (entry / "cmdline").read_text().startswith("ray::MapBatches(run_block"):
                os.kill(int(entry.name), signal.SIGKILL)
                return
        except OSError:
            continue  # it has ended
    pytest.fail("no worker is at work")
