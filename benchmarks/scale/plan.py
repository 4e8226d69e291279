"""The plan's tables that follow from the measured rates by arithmetic alone."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from math import comb, log

from benchmarks.scale.inputs import READS, SIZES, Work, list_work, read_rates
from benchmarks.scale.tables import Table, show, show_bytes, show_count, show_hours
from edgeemo.bulk.work import BLOCK_SIZE

CPU_HOUR, GETS, PUTS = 0.04, 0.4, 5.0
"""Assumed prices: an hour of a CPU, a million reading and a million writing requests."""

KEYS = 15
"""Pairs of the six parts of a hash, in one of which near-duplicates are equal."""

MET = 13 / 2**22
"""Pairs of N random hashes that are equal in two parts, over N squared."""

RECORD = 16
"""Bytes of a hash that travels with the number of its image."""

STORED, SORTED = 8 + 256, 60
"""Bytes of an image's hash and thumbnail, and of the sorted keys beside them."""

SHARD = 5_000_000
"""Images of a shard of hashes."""


def tabulate_rates() -> Table:
    """Return the measured rates, and the cost of a million images."""
    table = Table(
        "work", "bytes of an image", "processor ms", "CPU hours of a million", "bytes kept",
        "price of a million, assumed",
    )  # fmt: skip
    for work in list_work():
        table.add(
            work.name,
            show_bytes(work.image_bytes),
            show(work.cpu_ms),
            show(work.cpu_ms / 3.6),
            show_bytes(work.result_bytes + work.out_bytes),
            f"{count_price(work):.2f}",
        )
    return table


def count_price(work: Work) -> float:
    """Return the assumed price of a million images in a bucket: processors and requests."""
    writes = 1 / BLOCK_SIZE + (1 if work.out_bytes else 0) + 1 / 1000
    return work.cpu_ms / 3.6 * CPU_HOUR + READS * GETS + writes * PUTS


def tabulate_hours() -> Table:
    """Return CPU hours by number of images."""
    table = Table("CPU hours", *map(show_count, SIZES), "days of 64 CPUs for the last")
    for work in list_work():
        hours = [work.cpu_ms * size / 3.6e6 for size in SIZES]
        table.add(work.name, *map(show_hours, hours), show(hours[-1] / 64 / 24))
    search = [count_search_s(size) / 3600 for size in SIZES]
    table.add("near-duplicates", *map(show_hours, search), show(search[-1] / 64 / 24))
    return table


def tabulate_storage() -> Table:
    """Return the bytes that are stored and moved."""
    rates = read_rates()
    table = Table("bytes", *map(show_count, SIZES))
    rows = {
        "images of 48×48, JPEG": rates["small_bytes"],
        "images of 640×480, JPEG": rates["webcam_bytes"],
        "images of 12 megapixels, JPEG": rates["telephone_bytes"],
        "parts of predict": rates["predict_part_bytes"],
        "parts of check": rates["check_part_bytes"],
        "of them hashes and thumbnails": 8 + 256,
        "crops of 640×480, PNG": rates["crop_webcam_bytes"],
        "pixels to train on, 48×48 grey": 48 * 48,
        "paths of the images": rates["path_bytes"],
    }
    for name, each in rows.items():
        table.add(name, *(show_bytes(each * size) for size in SIZES))
    return table


def tabulate_requests() -> Table:
    """Return the requests to a bucket, and the hours that its limits make of them."""
    table = Table("requests", *map(show_count, SIZES))
    table.add("HEAD and GET, two an image", *(show_count(READS * size) for size in SIZES))
    table.add("LIST, one for 1,000 names", *(show_count(size / 1000) for size in SIZES))
    table.add(
        f"PUT of parts, one for {BLOCK_SIZE}", *(show_count(size / BLOCK_SIZE) for size in SIZES)
    )
    table.add("PUT of crops, one a face", *map(show_count, SIZES))
    table.add(
        "hours of HEAD and GET at 5,500 a second",
        *(show_hours(READS * n / 5500 / 3600) for n in SIZES),
    )
    table.add("hours of LIST, 0.15 s each", *(show_hours(n * 0.15e-3 / 3600) for n in SIZES))
    table.add("hours of PUT of crops at 3,500", *(show_hours(n / 3500 / 3600) for n in SIZES))
    return table


def tabulate_memory() -> Table:
    """Return the memory of the processes."""
    table = Table("memory", "bytes an image", "10 million", "100 million")
    block = sys.getsizeof("0" * 16) + sys.getsizeof(10**6) + 2 * 104  # in two dictionaries
    rates = read_rates()
    rows = {
        "digests of the finished blocks": (block + sys.getsizeof("x" * 43)) / BLOCK_SIZE,
        "crop: the names of the images and of the crops": rates["crop_memory_bytes"],
        "evaluate: the outcomes, with a face each": rates["evaluate_memory_bytes"],
        "check: all that its report compares": rates["check_memory_bytes"],
    }
    for name, each in rows.items():
        table.add(name, show(each), *(show_bytes(each * size) for size in SIZES[2:]))
    return table


def count_search_s(images: float) -> float:
    """Return the processor seconds of the search for near-duplicates on one machine.

    Sorting was measured up to millions, and grows with the logarithm of their number. To that come
    the pairs of hashes that are equal in two parts by chance.
    """
    rates = read_rates()
    sorting_us = rates["search_us"] + rates["search_us_per_ln"] * log(max(images / 1e6, 0.1))
    pairs = MET * images**2 * rates["spread"]
    return images * sorting_us / 1e6 + pairs * rates["pair_ns"] / 1e9


@dataclass(frozen=True, kw_only=True)
class Search:
    """A way to search for near-duplicates.

    Attributes:
        cpu_s: Processor seconds.
        moved: Bytes that travel between machines.
        memory: Bytes in the memory of one machine.
        tasks: Number of tasks.
    """

    cpu_s: float
    moved: float
    memory: float
    tasks: int


def list_searches(images: int) -> dict[str, Search]:
    """Return the ways to search that many images."""
    shards = -(-images // SHARD)
    size = min(SHARD, images)
    sorted_s = read_rates()["search_us"] * images / 1e6
    whole_s = count_search_s(images)
    return {
        "on one machine": Search(
            cpu_s=whole_s, moved=images * STORED, memory=images * (STORED + SORTED), tasks=1
        ),
        "all pairs of shards": Search(
            cpu_s=whole_s + sorted_s * (shards - 1),
            moved=(shards + 2 * comb(shards, 2)) * size * STORED,
            memory=2 * size * (STORED + SORTED),
            tasks=shards + comb(shards, 2),
        ),
        "join by parts": Search(
            cpu_s=whole_s,
            moved=images * KEYS * RECORD,
            memory=size * (RECORD + SORTED),
            tasks=KEYS * shards,
        ),
    }


def tabulate_search() -> Table:
    """Return the ways to search for near-duplicates at each size."""
    table = Table("near-duplicates", "images", "tasks", "CPU hours", "moved", "memory of a machine")
    for images in SIZES[1:]:
        for name, each in list_searches(images).items():
            table.add(
                name, show_count(images), show_count(each.tasks), show_hours(each.cpu_s / 3600),
                show_bytes(each.moved), show_bytes(each.memory),
            )  # fmt: skip
    return table
