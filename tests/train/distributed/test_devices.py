"""A worker whose JAX finds no GPU."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from edgeemo.errors import ClusterError
from edgeemo.train.distributed.worker import _check_devices


def _fail(error: Exception) -> SimpleNamespace:
    def local_devices() -> None:
        raise error

    return SimpleNamespace(local_devices=local_devices)


def test_no_gpu_is_one_line_and_a_lost_worker_is_left_to_ray():
    for error in (AssertionError(), RuntimeError("Unable to initialize backend 'cuda'")):
        with pytest.raises(ClusterError, match="worker 1 on node2: JAX finds no GPU; install"):
            _check_devices(_fail(error), "worker 1 on node2")
    with pytest.raises(RuntimeError, match="gloo"):
        _check_devices(_fail(RuntimeError("gloo: connection closed")), "worker 1 on node2")
