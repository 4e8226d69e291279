"""A run on a cluster, simulated block by block.

Each CPU takes the next block as soon as it is free. A node that is lost loses the blocks that its
CPUs are at; they are given to others once that is noticed. One process, the driver, cuts the blocks
and keeps the results, one after the other.
"""

from __future__ import annotations

import heapq
import random
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.scale.inputs import READS

if TYPE_CHECKING:
    from benchmarks.scale.inputs import Cluster


@dataclass(frozen=True, kw_only=True)
class Run:
    """A simulated run.

    Attributes:
        seconds: Its time.
        efficiency: Processor time of the work over that of all CPUs.
        bound: What takes the most time: "CPUs", "bucket", "latency", "driver", "listing", "start".
        repeated: Blocks that were done again.
    """

    seconds: float
    efficiency: float
    bound: str
    repeated: int


def simulate(cluster: Cluster, images: int, cpu_ms: float, *, seed: int = 0) -> Run:
    """Simulate a run.

    Args:
        cluster: The cluster.
        images: Number of images.
        cpu_ms: Processor time per image.
        seed: Of the random numbers.
    """
    rng = random.Random(seed)
    blocks = -(-images // cluster.block)
    nodes = [_Node.draw(rng, cluster) for _ in range(cluster.nodes)]
    workers = min(cluster.nodes * cluster.cpus, blocks)
    free = [(cluster.start_s, number) for number in range(workers)]
    heapq.heapify(free)
    work_s = cpu_ms / 1e3 / cluster.shared * cluster.block
    wait_s = _count_wait_s(cluster, workers) * cluster.block
    listing_s = cluster.list_s / cluster.list_keys * cluster.block
    driver_s = count_driver_s(cluster)
    driver, given, repeated = cluster.start_s, 0, 0
    while given < blocks:
        chapter = min(blocks - given, cluster.chapter * workers)
        waiting = [cluster.start_s + (given + n + 1) * listing_s for n in range(chapter)]
        given += chapter
        done: list[float] = []
        while waiting:  # sorted, so that it is a heap, too
            ready = heapq.heappop(waiting)
            moment, worker = heapq.heappop(free)
            node = nodes[worker % cluster.nodes]
            start = max(moment, ready)
            end = start + max(work_s * node.factor, wait_s)
            lost = node.next_loss(start)
            if lost < end:
                repeated += 1
                heapq.heappush(waiting, lost + cluster.noticed_s)
                heapq.heappush(free, (lost + cluster.replaced_s, worker))
                continue
            done.append(end)
            heapq.heappush(free, (end, worker))
        done.sort()
        for end in done:
            driver = max(driver, end) + driver_s
        free = [(max(moment, done[-1]), worker) for moment, worker in free]
        heapq.heapify(free)
    work_s = images * cpu_ms / 1e3
    return Run(
        seconds=driver,
        efficiency=work_s / (cluster.nodes * cluster.cpus * driver),
        bound=_find_bound(cluster, images, work_s, driver_s * blocks),
        repeated=repeated,
    )


@dataclass
class _Node:
    """A node.

    Attributes:
        factor: Time over that of the fastest node.
        losses: Moments at which it is lost, as far as they are drawn.
        rng: Draws more.
        lifetime_s: Mean time between them.
    """

    factor: float
    losses: list[float]
    rng: random.Random
    lifetime_s: float

    @classmethod
    def draw(cls, rng: random.Random, cluster: Cluster) -> _Node:
        factor = 1 + abs(rng.gauss(0.0, cluster.spread))
        if rng.random() < cluster.slow_share:
            factor *= cluster.slow_factor
        first = rng.expovariate(1 / cluster.lifetime_s)
        return cls(factor, [first], random.Random(rng.random()), cluster.lifetime_s)

    def next_loss(self, moment: float) -> float:
        """Return the first moment after `moment` at which it is lost."""
        while self.losses[-1] <= moment:
            self.losses.append(self.losses[-1] + self.rng.expovariate(1 / self.lifetime_s))
        return self.losses[bisect_right(self.losses, moment)]


def count_driver_s(cluster: Cluster) -> float:
    """Return the seconds per block of the slower of the two processes that see all blocks.

    One is connected to Ray, the other keeps the results.
    """
    return max(cluster.ray_block_s, cluster.put_s + cluster.block * cluster.driver_image_s)


def _count_wait_s(cluster: Cluster, workers: int) -> float:
    """Return the seconds between two images that a worker gets from the bucket."""
    if not cluster.get_s:
        return 0.0
    return READS * max(cluster.get_s / cluster.ahead, workers / cluster.gets_per_s)


def _find_bound(cluster: Cluster, images: int, work_s: float, driver_s: float) -> str:
    """Return what takes the most time by itself."""
    workers = cluster.nodes * cluster.cpus
    bounds = {
        "start": cluster.start_s,
        "listing": images / cluster.list_keys * cluster.list_s,
        "driver": driver_s,
        "bucket": images * READS / cluster.gets_per_s if cluster.get_s else 0.0,
        "latency": images * READS * cluster.get_s / cluster.ahead / workers,
        "CPUs": work_s / cluster.shared / workers,
    }
    return max(bounds, key=bounds.__getitem__)
