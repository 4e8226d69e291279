"""Compare the simulation with Ray on this machine: ``python -m benchmarks.scale.validate``.

Two nodes are started here, with processes, stores and ports of their own. Their work sleeps, so
that they may have more CPUs than the machine, and so that other programs disturb them less. The
time counts from the first quarter of the blocks to the last, when all workers have started. It also
measures what the process that is connected to Ray needs for a block, and writes both to the rates.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.scale.inputs import RATES, read_rates
from benchmarks.scale.runs import tabulate_validation
from benchmarks.scale.sleeping import SleepWork
from edgeemo.bulk.run import Place, work_through
from edgeemo.utils.progress import Silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BLOCK, EMPTY_BLOCKS = 64, 400
CASES = ((1, 32, 20.0), (1, 32, 40.0), (4, 96, 20.0), (4, 96, 40.0))
"""CPUs of each of the two nodes, blocks, and ms of an image."""


def main() -> None:
    rates = read_rates()
    measured = []
    for cpus in sorted({case[0] for case in CASES}):
        with start_nodes(cpus) as address:
            run(address, SleepWork(0.0, block_size=BLOCK), 2 * cpus)  # imports, and starts tasks
            if "ray_block_s" not in rates:
                rates["ray_block_s"] = min(measure_block(address) for _ in range(3))
            for _, blocks, ms in (case for case in CASES if case[0] == cpus):
                first, last = run(address, SleepWork(ms / 1e3, block_size=BLOCK), blocks)
                measured.append((cpus, blocks, ms, round(last - first, 2)))
    rates["validated"] = measured
    RATES.write_text(json.dumps(rates, indent=2) + "\n")
    print(tabulate_validation())


def run(address: str, work: SleepWork, blocks: int) -> tuple[float, float]:
    """Return the moments at which the first quarter of the blocks, and the last one, are done."""
    items = [f"{number:08d}" for number in range(blocks * BLOCK)]
    marks = list(watch(address, work, items, time.monotonic))
    return marks[blocks // 4 - 1], marks[-1]


def measure_block(address: str) -> float:
    """Return the processor seconds of the process that is connected to Ray, for each block."""
    items = [f"{number:08d}" for number in range(EMPTY_BLOCKS * BLOCK)]
    used = list(watch(address, SleepWork(0.0, block_size=BLOCK), items, read_child_s))
    rest = used[len(used) // 4 :]
    return (rest[-1] - rest[0]) / (len(rest) - 1)


def watch(
    address: str, work: SleepWork, items: list[str], read: Callable[[], float]
) -> Iterator[float]:
    """Yield what is read at the end of each block."""
    place = Place(cluster=address)
    for _ in work_through(work, items, place=place, stage="Sleeping", progress=Silent()):
        yield read()


def read_child_s() -> float:
    """Return the processor seconds of the child that has the connection to Ray."""
    for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
        if b"edgeemo.utils.child" in Path(f"/proc/{pid}/cmdline").read_bytes():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")
    return 0.0


@contextmanager
def start_nodes(cpus: int) -> Iterator[str]:
    """Start two nodes on this machine, and yield the address of the first."""
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        os.environ |= {"RAY_TMPDIR": folder, "RAY_USAGE_STATS_ENABLED": "0"}
        os.environ["PYTHONPATH"] = str(Path(__file__).resolve().parents[2])
        from ray.cluster_utils import Cluster as Nodes

        node = {"num_cpus": cpus, "object_store_memory": 100_000_000, "include_dashboard": False}
        made = Nodes(initialize_head=True, head_node_args=node)
        made.add_node(**node)
        try:
            yield made.address
        finally:
            made.shutdown()


if __name__ == "__main__":
    main()
