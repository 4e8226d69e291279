"""What the plan and its simulations start from: measured rates, and assumptions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from edgeemo.bulk.work import BLOCK_SIZE

READS = 2
"""Requests for an image in a bucket: its size, and its content."""

RATES = Path(__file__).with_name("rates.json")
SIZES = (10_000, 1_000_000, 10_000_000, 100_000_000)
"""Images."""
IMAGES = {"small": "48×48", "webcam": "640×480", "telephone": "12 megapixels"}
"""Kinds of images, by their names in the rates."""


@cache
def read_rates() -> dict[str, float]:
    """Return what `benchmarks.scale.rates` has measured."""
    rates: dict[str, float] = json.loads(RATES.read_text())
    return rates


@dataclass(frozen=True, kw_only=True)
class Work:
    """Work on images of one kind.

    Attributes:
        name: Its name.
        cpu_ms: Processor time per image.
        image_bytes: Size of an image.
        keep_us: Time of the process that keeps its result.
        result_bytes: Size of its row in the parts.
        out_bytes: Size of what else is written for it, such as a crop.
    """

    name: str
    cpu_ms: float
    image_bytes: float
    keep_us: float
    result_bytes: float
    out_bytes: float = 0.0


def list_work() -> list[Work]:
    """Return the work that the plan is about."""
    return [
        _make_work(command, images)
        for command in ("predict", "check", "crop")
        for images in IMAGES
        if (command, images) != ("crop", "small")
    ]


def _make_work(command: str, images: str) -> Work:
    rates = read_rates()
    row = command if command == "check" else "predict"  # a row of crop is like one of predict
    return Work(
        name=f"{command}, {IMAGES[images]}",
        cpu_ms=rates[f"{command}_{images}_ms"],
        image_bytes=rates[f"{images}_bytes"],
        keep_us=rates[f"{row}_keep_us"],
        result_bytes=rates[f"{row}_part_bytes"],
        out_bytes=rates.get(f"{command}_{images}_bytes", 0.0),
    )


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A cluster and a bucket. Times in seconds.

    Attributes:
        nodes: Number of nodes.
        cpus: CPUs per node, each a worker.
        shared: Rate of a CPU among others that work, with Ray, over that of one process alone.
        start_s: From the command to the first block: Ray's connection and its workers.
        lifetime_s: Mean time until a node is lost.
        noticed_s: Until the blocks of a lost node are given to others.
        replaced_s: Until another node does its work.
        spread: By how much nodes are slower than the fastest, about.
        slow_share: Share of nodes that are slower by `slow_factor`.
        slow_factor: As said.
        get_s: Latency of a request; 0 for files on the nodes.
        ahead: Images that a worker reads at the same time.
        put_s: Latency of writing a part.
        gets_per_s: Requests per second that the bucket answers, all workers together.
        list_s: Latency of a listing of `list_keys` names.
        list_keys: Names per listing.
        block: Images of a block.
        driver_image_s: What the process that keeps the results needs for each image.
        ray_block_s: What the process that is connected to Ray needs for each block.
        chapter: Blocks per worker that Ray gets at a time; the next ones after the last of these.
    """

    nodes: int = 1
    cpus: int = 16
    shared: float = 0.57  # 1,924 images/s of 16 workers, 212 of one process: docs/many-images.md
    start_s: float = 20.0
    lifetime_s: float = 1000 * 3600.0
    noticed_s: float = 30.0
    replaced_s: float = 180.0
    spread: float = 0.05
    slow_share: float = 0.01
    slow_factor: float = 2.0
    get_s: float = 0.05
    ahead: int = 32
    put_s: float = 0.05
    gets_per_s: float = 5500.0
    list_s: float = 0.15
    list_keys: int = 1000
    block: int = BLOCK_SIZE
    driver_image_s: float = 50e-6
    ray_block_s: float = 0.01
    chapter: int = 64
