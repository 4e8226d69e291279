"""Which worker this process is, as the environment says."""

from __future__ import annotations

import os
from dataclasses import dataclass

from edgeemo.errors import TrainingError

COORDINATOR = "EDGEEMO_COORDINATOR"
WORKER = "EDGEEMO_WORKER"
JOIN_SECONDS = "EDGEEMO_JOIN_SECONDS"
LOCALHOST = "127.0.0.1"
NUMBERS = (WORKER, "SLURM_PROCID", "JOB_COMPLETION_INDEX")
"""Where a worker's number stands: our own, SLURM's, and that of an indexed job of Kubernetes."""

_JOIN_SECONDS = 120.0


@dataclass(frozen=True, kw_only=True)
class Rank:
    """This process among those that train together.

    Attributes:
        workers: How many train together.
        number: Which of them this machine runs, from 0; worker 0 writes the model.
        host: Name or address of worker 0's machine; empty where all run on this one.
        port: Where worker 0 waits for the others there.
        join_seconds: How long the workers wait for each other at the start.
    """

    workers: int
    number: int = 0
    host: str = ""
    port: int = 0
    join_seconds: float = _JOIN_SECONDS

    @property
    def is_cluster(self) -> bool:
        """Whether every worker was started by itself, rather than all by this process."""
        return bool(self.host)

    @property
    def is_helper(self) -> bool:
        """Whether another machine writes the model."""
        return self.number > 0

    @property
    def own_numbers(self) -> tuple[int, ...]:
        """Numbers of the workers that this process starts."""
        return (self.number,) if self.is_cluster else tuple(range(self.workers))

    def address(self, port: int) -> str:
        """Where a port of worker 0's machine is: HOST:PORT."""
        host = self.host or LOCALHOST
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def describe(self, number: int) -> str:
        """Return a worker's name for a sentence: "worker 1 (of 2, counted from 0)"."""
        return f"worker {number} (of {self.workers}, counted from 0)"


def read_rank(workers: int) -> Rank:
    """Read the environment.

    Args:
        workers: How many train together; with 1 the environment does not matter.

    Raises:
        TrainingError: If a variable is missing or wrong.
    """
    if workers == 1:
        return Rank(workers=1)
    seconds = _read_join_seconds()
    address = os.environ.get(COORDINATOR, "").strip()
    if not address:
        return Rank(workers=workers, join_seconds=seconds)
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise TrainingError(
            f"{COORDINATOR} is {address!r}; it must be worker 0's HOST:PORT, such as node1:29500"
        )
    return Rank(
        workers=workers,
        number=_read_number(workers),
        host=host,
        port=int(port),
        join_seconds=seconds,
    )


def _read_number(workers: int) -> int:
    for name in NUMBERS:
        value = os.environ.get(name, "").strip()
        if not value:
            continue
        if value.isdecimal() and int(value) < workers:
            return int(value)
        raise TrainingError(
            f"{name} is {value!r}; with --workers {workers} it must be 0 to {workers - 1}"
        )
    raise TrainingError(
        f"{COORDINATOR} is set, but not which worker this is: set {WORKER} to 0 to {workers - 1}"
    )


def _read_join_seconds() -> float:
    value = os.environ.get(JOIN_SECONDS, "").strip() or str(_JOIN_SECONDS)
    try:
        seconds = float(value)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e6:
        raise TrainingError(f"{JOIN_SECONDS} is {value!r}, not a number of seconds")
    return seconds
