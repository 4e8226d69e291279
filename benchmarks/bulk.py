"""What images by the million cost: ``python -m benchmarks.bulk [--parts rates,blocks,...]``.

A Ray is started on this machine. In turn, on drawn images: one process with one thread, the local
pool and Ray with `--workers` workers, by clock and by processor time of all their processes. Then
the start of Ray and of its workers in seconds and MB, the cost of a block, the effect of its size,
the memory and the parts of a million images, and, on a cluster of two nodes on this machine, the
pause that a killed node makes. Two cores need under three minutes. On a machine that is never idle
the processor time is more reliable.
"""

from __future__ import annotations

import argparse
import gc
import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "OPENBLAS_NUM_THREADS": "1"}

from benchmarks.empty_work import EmptyWork, ManyItems
from benchmarks.frames import draw_frames
from benchmarks.machine import describe
from benchmarks.process_tree import adopt_orphans, measure_cpu, measure_mb
from edgeemo import FaceRequest
from edgeemo.bulk.parts import open_parts
from edgeemo.bulk.run import Place, work_through
from edgeemo.runtime.classifier import Classifier
from edgeemo.runtime.predict_work import PredictWork
from edgeemo.utils.progress import Silent
from edgeemo.utils.system import usable_cores

if TYPE_CHECKING:
    from edgeemo.bulk.work import Work

DRAWN, NAMES = 64, 2048
"""Number of different images, and of their names; each is read many times."""
WARM_S, LAST = 3.0, 0.9
"""Seconds after the first block, and share of the images: between them rates are measured, while
all workers work and Ray starts no processes."""
SETTLE_S = 2.0
"""Seconds that the processes of Ray need to end."""
SAMPLE_S = 0.2
"""Seconds between two looks at the processor time."""
MANY = 1_000_000


@dataclass
class Run:
    """One run: clock and images at the end of each block; processor time, too, of some."""

    began: float = field(default_factory=time.monotonic)
    marks: list[tuple[float, int]] = field(default_factory=list)
    samples: list[tuple[float, int, float]] = field(default_factory=list)

    @property
    def first_s(self) -> float:
        """Return the seconds to the first block."""
        return self.marks[0][0] - self.began

    @property
    def seconds(self) -> float:
        return self.marks[-1][0] - self.began

    def _steady(self) -> tuple[float, int, float]:
        """Return seconds, images and processor seconds while all workers worked."""
        first, total = self.samples[0][0], self.marks[-1][1]
        inside = [sample for sample in self.samples if sample[1] <= total * LAST]
        warm = [sample for sample in inside if sample[0] >= first + WARM_S]
        if len(inside) < 2:
            raise SystemExit("too few blocks: give more --seconds, or a smaller --block-size")
        begin, end = warm[0] if len(warm) > 1 else inside[0], inside[-1]
        return tuple(last - first for first, last in zip(begin, end, strict=True))

    @property
    def rate(self) -> float:
        """Return images per second."""
        seconds, images, _ = self._steady()
        return images / seconds

    @property
    def cpu_ms(self) -> float:
        """Return milliseconds of processor time per image."""
        _, images, cpu = self._steady()
        return cpu / images * 1e3


@dataclass
class Bench:
    """What is measured, and with what."""

    names: list[str]
    workers: int
    seconds: float
    block_size: int | None
    faces: bool
    cluster: str = ""

    def make_work(self, block_size: int | None = None) -> PredictWork:
        classifier = Classifier.load(
            "happy-sad", threads=1, faces=None if self.faces else FaceRequest(enabled=False)
        )
        work = PredictWork(classifier)
        if size := block_size or self.block_size:
            work.block_size = size
        return work

    def count_images(self, workers: float) -> int:
        """Return the number of images that so many workers predict in the time of a run."""
        trial = self.run_here(None, 512, workers=1)
        count = int(512 / trial.seconds * self.seconds * workers)
        return max(512, count - count % 64)

    def run(self, work: Work, count: int, *, workers: int, each=None) -> Run:
        """Work through images on Ray.

        Args:
            work: The work.
            count: Number of images.
            workers: Number of workers.
            each: Is called after each block.
        """
        place = Place(workers=workers, cluster=self.cluster)
        return follow(work, self.choose(count), place, each=each)

    def run_here(self, size: int | None, count: int, *, workers: int, keep: str = "") -> Run:
        """Predict in a process of its own, as the command does: without threads, it may fork."""
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            return pool.submit(predict_here, self, size, count, workers, keep).result()

    def choose(self, count: int) -> list[str]:
        return [self.names[number % len(self.names)] for number in range(count)]


def predict_here(bench: Bench, size: int | None, count: int, workers: int, keep: str) -> Run:
    work = bench.make_work(size)
    with open_parts(keep, work) if keep else nullcontext() as parts:
        return follow(work, bench.choose(count), Place(workers=workers), parts=parts)


def follow(work: Work, items, place: Place, *, parts=None, each=None) -> Run:
    """Work through items and note the time of each block."""
    run, done, sampled = Run(), 0, 0.0
    for block in work_through(
        work, items, place=place, parts=parts, stage="Predicting", progress=Silent()
    ):
        done += len(block.results)
        now = time.monotonic()
        if now > sampled + SAMPLE_S:  # it takes milliseconds
            run.samples.append((now, done, measure_cpu()))
            sampled = now
        run.marks.append((now, done))
        if each:
            each(run)
    return run


@contextmanager
def start_ray(*cpus: int):
    """Start a cluster of one node for each number of CPUs; yield it."""
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        os.environ["RAY_TMPDIR"] = folder
        from ray.cluster_utils import Cluster

        nodes = [
            {"num_cpus": count, "object_store_memory": 200_000_000, "include_dashboard": False}
            for count in cpus
        ]
        cluster = Cluster(initialize_head=True, head_node_args=nodes[0])
        for node in nodes[1:]:
            cluster.add_node(**node)
        try:
            yield cluster
        finally:
            cluster.shutdown()


def show(name: str, value: str) -> None:
    print(f"{name:58}{value}", flush=True)


def measure_rates(bench: Bench, rounds: int) -> None:
    count = bench.count_images(bench.workers)
    size = bench.block_size or min(512, max(16, count // (bench.workers * 12)))
    show("images of a run, and of a block", f"{count}, {size}")
    one, pool, ray, workers = [], [], [], bench.workers
    for _ in range(rounds):
        one.append(bench.run_here(size, count // workers, workers=1))
        if workers > 1:
            pool.append(bench.run_here(size, count, workers=workers))
        ray.append(bench.run(bench.make_work(size), count, workers=workers))
        time.sleep(SETTLE_S)
    pool = pool or one
    show_rate("one process, one thread", one, 1)
    show_rate(f"local pool, {workers} workers", pool, workers)
    show_rate(f"Ray Data, {workers} workers", ray, workers)
    show_ratio(f"local pool / {bench.workers} x one process", pool, one, bench.workers)
    show_ratio(f"Ray Data / {bench.workers} x one process", ray, one, bench.workers)
    show_ratio("Ray Data / local pool", ray, pool, 1)
    show("first block with Ray", f"{median(run.first_s for run in ray):.1f} s")


def show_rate(name: str, runs: list[Run], workers: int) -> None:
    rate, cpu = median(run.rate for run in runs), median(run.cpu_ms for run in runs)
    whole = median(run.marks[-1][1] / run.seconds for run in runs)
    text = f"{rate:.0f} images/s, {rate / workers:.0f} per worker, {cpu:.3f} ms of processor time"
    show(name, f"{text} each; {whole:.0f} images/s with start and end")


def show_ratio(name: str, over: list[Run], under: list[Run], times: int) -> None:
    pairs = list(zip(over, under, strict=True))
    clock = median(top.rate / bottom.rate / times for top, bottom in pairs)
    cpu = median(bottom.cpu_ms / top.cpu_ms for top, bottom in pairs)
    show(name, f"{clock:.2f}; by processor time {cpu:.2f}")


def measure_memory(bench: Bench) -> None:
    """Print the memory of each process while Ray works."""
    seen: dict[str, list[float]] = {}

    def look(run: Run) -> None:
        if len(run.marks) == bench.workers * 2:
            seen.update(measure_mb())

    work = bench.make_work(64)
    bench.run(work, 64 * bench.workers * 4, workers=bench.workers, each=look)
    for role, found in sorted(seen.items()):
        show(f"memory (PSS): {role}", f"{len(found)} x {sum(found) / len(found):.0f} MB")


def measure_blocks(bench: Bench) -> None:
    """Print the cost of a block without images to speak of, and the effect of its size."""
    for size in (1, 512):
        run = bench.run(EmptyWork(size), 400 * size, workers=bench.workers)
        seconds, images, cpu = run._steady()
        blocks = images / size
        text = f"{seconds / blocks * 1e3:.1f} ms, {cpu / blocks * 1e3:.1f} ms of processor time"
        show(f"a block of {size} without work", text)
    count = bench.count_images(bench.workers)
    for size in (32, 128, 512, 2048):
        run = bench.run(bench.make_work(size), count, workers=bench.workers)
        rate = count / (run.seconds - run.first_s)
        text = (
            f"{rate:.0f} images/s to the end, {run.seconds:.1f} s in all, first {run.first_s:.1f}"
        )
        show(f"{count} images in blocks of {size}", text)


def measure_millions(bench: Bench) -> None:
    """Print the memory of the command and of its connected process, and the size of the parts."""
    used: dict[int, dict[str, list[float]]] = {}

    for count in (100_000, MANY):
        gc.collect()

        def look(run: Run, count=count) -> None:
            if run.marks[-1][1] >= count * 0.9 and count not in used:
                used[count] = measure_mb()

        place = Place(workers=bench.workers, cluster=bench.cluster)
        run = follow(EmptyWork(4096), ManyItems(count), place, each=look)
    show("a million images without work", f"{run.seconds:.0f} s")
    scale = MANY / (MANY - 100_000)
    for role in ("the command", "process that is connected to Ray"):
        more = sum(used[MANY][role]) - sum(used[100_000][role])
        show(f"memory per million images: {role}", f"{more * scale:.0f} MB")
    with tempfile.TemporaryDirectory() as folder:
        bench.run_here(None, NAMES, workers=1, keep=folder)
        size = sum(path.stat().st_size for path in Path(folder).glob("*.parquet"))
        show("parts on disk", f"{size / NAMES:.0f} bytes per image")


def measure_recovery(bench: Bench) -> None:
    """Print the pause that a killed node makes."""
    work = bench.make_work(64)
    with start_ray(1, 1) as cluster:
        bench.cluster = cluster.address
        node = sorted(cluster.worker_nodes, key=str)[0]
        killed: list[float] = []

        def kill(run: Run) -> None:
            if len(run.marks) == 16:
                cluster.remove_node(node, allow_graceful=False)
                killed.append(time.monotonic())

        count = bench.count_images(30 / bench.seconds)
        run = bench.run(work, max(count, 64 * 48), workers=2, each=kill)
    gaps = [(after[0] - before[0], before[0] - killed[0]) for before, after in pairwise(run.marks)]
    longest, at = max(gap for gap in gaps[15:])
    usual = median(gap for gap, _ in gaps[:15])
    show(
        "a node of two killed: longest pause between blocks", f"{longest:.1f} s, usual {usual:.1f}"
    )
    show("it began after the kill", f"{at:.1f} s; all {len(run.marks)} blocks done")


def link_names(folder: Path) -> list[str]:
    """Return many names for the images of a folder."""
    drawn = sorted(folder.glob("*.jpg"))
    names = [str(folder / f"photo-{number:06}.jpg") for number in range(NAMES)]
    for number, name in enumerate(names):
        os.link(drawn[number % len(drawn)], name)
    return names


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--parts", default="rates,memory,blocks,millions,recovery")
    parser.add_argument("--workers", default=str(usable_cores()))
    parser.add_argument("--size", default="48x48")
    parser.add_argument("--faces", action="store_true", help="detect faces")
    parser.add_argument("--seconds", type=float, default=6, help="of a run, about")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--block-size", type=int)
    given = parser.parse_args()
    adopt_orphans()
    print(describe("ray", "ai-edge-litert", "numpy", "pillow"))
    chosen = given.parts.split(",")
    with tempfile.TemporaryDirectory() as folder:
        width, height = map(int, given.size.split("x"))
        draw_frames(Path(folder), DRAWN, size=(width, height))
        names = link_names(Path(folder))
        most = max(map(int, given.workers.split(",")))
        bench = Bench(names, most, given.seconds, given.block_size, given.faces)
        begin = time.monotonic()
        with start_ray(most) as cluster:
            show("start of Ray on this machine", f"{time.monotonic() - begin:.1f} s")
            bench.cluster = cluster.address
            if "rates" in chosen:
                for workers in map(int, given.workers.split(",")):
                    bench.workers = workers
                    measure_rates(bench, given.rounds)
            if "memory" in chosen:
                measure_memory(bench)
            if "blocks" in chosen:
                measure_blocks(bench)
            if "millions" in chosen:
                measure_millions(bench)
        if "recovery" in chosen:
            measure_recovery(bench)


if __name__ == "__main__":
    main()
