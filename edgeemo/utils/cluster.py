"""Ray: one that is started on this machine, or a cluster's. The one module that imports it.

A local Ray listens on ports that any machine may reach: a random token keeps others out, and all
its files are in a folder of its own. Nothing is sent to Ray's makers.
"""

from __future__ import annotations

import math
import os
import secrets
import signal
import socket
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeemo.errors import ClusterError
from edgeemo.utils.ray_errors import describe_ray_error
from edgeemo.utils.system import usable_cores
from edgeemo.utils.text import one_line, plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from edgeemo.utils.progress import Progress

AUTO = "auto"
"""Address of the cluster that this machine is a node of."""

_ANSWER_SECONDS = 5
_LOST_SECONDS = 15
"""Seconds without an answer of the head node after which a process gives up."""

_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_AUTO_CONNECT": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_TRAIN_METRICS_ENABLED": "0",
    "RAY_gcs_rpc_server_reconnect_timeout_s": str(_LOST_SECONDS),
    # Of TCP, where a cable is cut. More pings would be refused: "Too many pings".
    "RAY_grpc_client_keepalive_timeout_ms": "20000",
}
_LOCAL_STORE_BYTES = 200_000_000


def import_ray() -> Any:
    """Return the package ray, imported without its report to its makers."""
    os.environ |= _QUIET
    import ray

    return ray


def import_ray_train() -> Any:
    """Return the package ray.train."""
    import_ray()
    import ray.train
    import ray.train.collective
    import ray.train.v2.api.data_parallel_trainer

    return ray.train


def import_ray_data() -> Any:
    """Return the package ray.data, which keeps order and draws no progress of its own."""
    import_ray()
    import ray.data

    context = ray.data.DataContext.get_current()
    context.execution_options.preserve_order = True
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    return ray.data


def check_cluster(address: str | None, *, cpus: float, purpose: str) -> None:
    """Refuse a cluster that cannot be reached, before any slow work; Ray is not imported.

    Args:
        address: As of `open_cluster`.
        cpus: Processors that the work needs.
        purpose: What needs them, for a message, such as "--workers 4".

    Raises:
        ClusterError: If nothing answers there, or this machine alone has too few cores.
    """
    if address is not None:
        _check_answer(address)
    elif usable_cores() < cpus:
        raise ClusterError(
            f"{purpose} requires {plural(int(cpus), 'CPU')}, and this machine has "
            f"{usable_cores()}; lower the number, or name a --cluster"
        )


@contextmanager
def open_cluster(
    address: str | None,
    *,
    cpus: float,
    gpus: float = 0,
    purpose: str,
    folder: Path,
    progress: Progress,
) -> Iterator[Any]:
    """Connect to Ray until the block ends; what was started inside ends then.

    For a process of its own: an interrupt within the clean-up is ignored, and a lost connection to
    the head node aborts the process.

    Args:
        address: HOST:PORT of a cluster's head node, or `AUTO`; None to start a local Ray.
        cpus: Processors that the work needs.
        gpus: GPUs that the work needs.
        purpose: What needs them, for a message, such as "--workers 4".
        folder: Empty folder for the files of a local Ray; its path should be short.
        progress: Is told what is waited for.

    Yields:
        The package ray, connected.

    Raises:
        ClusterError: If Ray does not answer, is of another version, has too few CPUs or GPUs, or
            fails within the block.
    """
    progress.stage("Starting Ray" if address is None else f"Connecting to Ray at {address}")
    ray = _connect(address, gpus=gpus, folder=folder)
    try:
        _check_resources(ray, {"CPU": cpus, "GPU": gpus}, address, purpose, progress)
        yield ray
    except ray.exceptions.RayActorError:  # one of `start_beside`
        raise ClusterError(
            "a process of Ray's on this machine has died; look whether the disk of Ray's files is "
            "full"
        ) from None
    except ray.exceptions.RayError as error:
        raise ClusterError(f"Ray has ended the work: {describe_ray_error(error)}") from None
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        with suppress(Exception):
            ray.shutdown()


def start_beside(ray: Any, cls: type, *args: Any) -> Any:
    """Return the handle of an actor of a class, on this node, which can read this machine's files.

    Args:
        ray: The package, connected.
        cls: The class.
        args: Its arguments.
    """
    here = ray.get_runtime_context().get_node_id()
    node = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(here, soft=False)
    return ray.remote(num_cpus=0, scheduling_strategy=node)(cls).remote(*args)


def _connect(address: str | None, *, gpus: float, folder: Path) -> Any:
    if address is None:
        os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        options: dict[str, Any] = {
            "address": "local",
            "num_cpus": usable_cores(),
            "num_gpus": None if gpus else 0,
            "include_dashboard": False,
            "object_store_memory": _LOCAL_STORE_BYTES,
            "_temp_dir": str(folder),
        }
    else:
        _check_answer(address)
        options = {"address": address}
    ray = import_ray()
    try:
        ray.init(log_to_driver=False, logging_level="ERROR", **options)
    except Exception as error:  # of many kinds
        raise ClusterError(_explain(error, address)) from None
    return ray


def _check_answer(address: str) -> None:
    """Refuse an address at which nothing answers, for which Ray waits a minute."""
    shown = address
    if address == AUTO:
        with suppress(OSError):
            address = _read_local_address()
        if address == AUTO:
            return  # Ray searches, and finds at once that there is none
        shown = f"{AUTO} ({address})"
    host, _, port = address.rpartition(":")
    if "://" in address or not host or not port.isdecimal():
        raise ClusterError(
            f"--cluster {address}: give HOST:PORT of the head node, as in node1:6379, or {AUTO}; "
            "run the command on a node of the cluster"
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), _ANSWER_SECONDS).close()
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or one_line(error)
        raise ClusterError(
            f"--cluster {shown}: no answer ({reason}); start Ray there with 'ray start --head', "
            "or correct the address"
        ) from None


def _read_local_address() -> str:
    """Return the address that 'ray start' noted on this machine, perhaps long ago."""
    folder = Path(os.environ.get("RAY_TMPDIR") or tempfile.gettempdir())
    return (folder / "ray" / "ray_current_cluster").read_text().strip()


def _explain(error: Exception, address: str | None) -> str:
    text = one_line(error)
    if address is None:
        return f"Ray does not start on this machine: {text[:300]}"
    place = f"--cluster {address}"
    if "ersion mismatch" in text:
        return f"{place}: {text[text.index('ersion mismatch') - 1 :][:400]}; install the same"
    if isinstance(error, ConnectionError) and "Failed to connect" not in text:
        return f"{place}: this machine is no node of a running cluster; start it with 'ray start'"
    if isinstance(error, ConnectionError) or "uthenticat" in text:
        return (
            f"{place}: the cluster does not admit this process; if it requires a token, set "
            "RAY_AUTH_MODE=token, and copy ~/.ray/auth_token from the head node"
        )
    return f"{place}: {text[:300]}"


def _check_resources(
    ray: Any,
    needed: Mapping[str, float],
    address: str | None,
    purpose: str,
    progress: Progress,
) -> None:
    """Refuse what the cluster will never have, and tell what has to be waited for."""
    owner = "this machine" if address is None else "the cluster"
    there, free = ray.cluster_resources(), ray.available_resources()
    for name, count in needed.items():
        has = int(there.get(name, 0))
        if has < count:
            raise ClusterError(
                f"{purpose} requires {plural(math.ceil(count), name)}, and {owner} has {has}; "
                "lower the number, or add nodes"
            )
        if free.get(name, 0) < count:
            progress.note(
                f"Waiting for {plural(math.ceil(count), name)}: {owner} has {has}, of which "
                f"{int(free.get(name, 0))} are free."
            )
