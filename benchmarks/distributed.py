"""What training on Ray costs: ``python -m benchmarks.distributed [--images N] [--epochs N]``.

On drawn images it measures the images per second of one process with one thread, and of two workers
on a local Ray; the start of Ray and of the workers in seconds and MB; and, on a cluster of two
nodes on this machine, the seconds from the kill of a node to the training. On a machine that is
never idle the processor time is more reliable: that of the process, and that of all of Ray's.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")

import numpy as np

from edgeemo.model.spec import ModelSpec
from edgeemo.train.data.pipeline import Pixels, TrainingData
from edgeemo.train.distributed import fit_distributed
from edgeemo.train.loop.checkpoint import Checkpoint
from edgeemo.train.loop.fit import fit
from edgeemo.train.networks.architectures import build
from edgeemo.train.options.options import TrainOptions

ARCH, SIDE, BATCH = "cnn-bn-64", 48, 64
SPEC = ModelSpec(labels=("happy", "sad"), height=SIDE, width=SIDE, channels=1)


class Clock:
    """A `Progress` that remembers when each stage and each step ended."""

    def __init__(self, steps: int, epochs: int) -> None:
        self.began = time.monotonic()
        self.stages: dict[str, float] = {}
        self.steps: list[float] = []
        self.cpu: dict[int, float] = {}
        self.peak_mb = 0.0
        self._marks = (steps, steps * epochs)

    def stage(self, name: str, *, total: int | None = None) -> None:
        self.stages[name] = time.monotonic() - self.began

    def advance(self, steps: int = 1, *, detail: str = "") -> None:
        if not self.steps:
            self.peak_mb = measure_ray_mb()
        before = len(self.steps)
        self.steps += [time.monotonic()] * steps
        for mark in self._marks:
            if before < mark <= len(self.steps):
                self.cpu[mark] = measure_cpu()

    def note(self, text: str) -> None:
        print(f"  {text}")

    @property
    def images(self) -> int:
        """Return the images after the first epoch, in which the network is compiled."""
        return (self._marks[1] - self._marks[0]) * BATCH

    @property
    def rate(self) -> float:
        """Return images per second."""
        return self.images / (self.steps[-1] - self.steps[self._marks[0] - 1])

    @property
    def cpu_ms(self) -> float:
        """Return milliseconds of processor time per image."""
        first, last = (self.cpu[mark] for mark in self._marks)
        return (last - first) / self.images * 1e3


class Killer(Clock):
    """A clock that kills a node in the third epoch."""

    def __init__(self, kill, steps: int, epochs: int) -> None:
        super().__init__(steps, epochs)
        self._kill, self._at = kill, 2 * steps + 1
        self.killed = self.again = 0.0

    def advance(self, steps: int = 1, *, detail: str = "") -> None:
        super().advance(steps, detail=detail)
        if not self.killed and len(self.steps) >= self._at:
            self._kill()
            self.killed = time.monotonic()

    def stage(self, name: str, *, total: int | None = None) -> None:
        super().stage(name, total=total)
        if self.killed:
            self.again = time.monotonic() - self.killed


def find_ray() -> list[Path]:
    """Return the folders in /proc of all processes of Ray that run on this machine."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if command.startswith(b"ray::") or b"site-packages/ray/" in command:
            found.append(folder)
    return found


def measure_ray_mb() -> float:
    """Return the proportional memory (PSS) of all processes of Ray, in MB."""
    total = 0
    for folder in find_ray():
        try:
            lines = (folder / "smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1e3


def measure_cpu() -> float:
    """Return the processor time of this process and of all of Ray's, in seconds."""
    ticks = 0
    for folder in find_ray():
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


def draw(count: int, seed: int) -> Pixels:
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, 2, count)
    level = (70 + 90 * truth)[:, None, None, None]
    rows = np.clip(generator.normal(level, 60, (count, *SPEC.input_shape)), 0, 255)
    return Pixels(rows.astype(np.uint8), truth)


def network():
    return build(ARCH, input_shape=SPEC.input_shape, classes=2)


def train_on_ray(data: TrainingData, options: TrainOptions, clock: Clock) -> Clock:
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Checkpoint(Path(folder, "model"))
        checkpoint.start({}, [])
        fit_distributed(
            network, data, options=options, checkpoint=checkpoint, teachers=(), progress=clock
        )
    return clock


def measure_recovery(data: TrainingData, options: TrainOptions, steps: int) -> float:
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        os.environ |= {"RAY_TMPDIR": folder, "RAY_USAGE_STATS_ENABLED": "0"}
        from ray.cluster_utils import Cluster

        node = {"num_cpus": 1, "object_store_memory": 100_000_000, "include_dashboard": False}
        cluster = Cluster(initialize_head=True, head_node_args=node)
        second = cluster.add_node(**node)
        kill = partial(cluster.remove_node, second, allow_graceful=False)
        killer = Killer(kill, steps, options.epochs)
        train_on_ray(data, replace(options, workers="1..2", cluster=cluster.address), killer)
        cluster.shutdown()
    return killer.again


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=int, default=4096)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--skip-recovery", action="store_true")
    given = parser.parse_args()
    steps = -(-given.images // BATCH)
    data = TrainingData(train=draw(given.images, 1), validation=draw(BATCH, 2), spec=SPEC)
    options = TrainOptions(
        arch=ARCH, size=SIDE, channels=1, epochs=given.epochs, batch_size=BATCH, mode="plain"
    )
    print(f"{given.images} images of {SIDE}x{SIDE}, batches of {BATCH}, {ARCH}")
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    alone = Clock(steps, given.epochs)
    fit(network, data, options=options, progress=alone)
    os.sched_setaffinity(0, cores)
    print(f"one process, one thread: {alone.rate:.0f} images/s, {alone.cpu_ms:.2f} ms each")
    ray = train_on_ray(data, replace(options, workers=2), Clock(steps, given.epochs))
    print(f"two workers: {ray.rate:.0f} images/s, {ray.cpu_ms:.2f} ms of processor time each")
    print(f"two workers / two such processes: {ray.rate / alone.rate / 2:.2f}")
    print(f"the same by processor time: {alone.cpu_ms / ray.cpu_ms:.2f}")
    begin = ray.stages["Starting Ray"]
    print(f"start of Ray: {ray.stages['Starting the workers'] - begin:.1f} s")
    started = ray.stages["Training"] - ray.stages["Starting the workers"]
    print(f"start of the workers: {started:.1f} s; with Ray {ray.peak_mb:.0f} MB")
    if not given.skip_recovery:
        seconds = measure_recovery(data, options, steps)
        print(f"from the kill of a node to the training: {seconds:.1f} s")


if __name__ == "__main__":
    main()
