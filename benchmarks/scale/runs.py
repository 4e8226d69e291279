"""The tables of the simulations."""

from __future__ import annotations

from dataclasses import replace
from statistics import median

from benchmarks.scale import cluster, fleet
from benchmarks.scale.cluster import count_driver_s
from benchmarks.scale.inputs import Cluster, list_work, read_rates
from benchmarks.scale.tables import Table, show, show_bytes, show_count, show_time

NODES = (2, 8, 32, 128, 512, 4096)
IMAGES = (10_000, 1_000_000, 10_000_000, 100_000_000)
STATE = '{"label": "happy", "probability": 0.93, "faces": 1, "paused": false, "threshold": 0.4}'
_SCORES = (
    '"label": "sad", "guess": "sad", "score": 0.531363, '
    '"scores": {"happy": 0.067031, "neither": 0.401606, "sad": 0.531363}'
)
EVENT = (
    '{"event": "changed", "time": 1795772568.774, "id": 1, "label": "sad", '
    f'"box": [70, 176, 243, 243], "raw": {{{_SCORES}}}, "steady": {{{_SCORES}}}, '
    '"previous": "happy", "duration_s": 4.267, "name": "door"}'
)
SEEDS = range(20)
CHANGED_NODES = (16, 64, 256)


def make_cluster(keep_us: float | None = None, **changes: float) -> Cluster:
    """Return a cluster with the measured rates.

    Args:
        keep_us: What keeping the result of an image takes; None for one of predict.
        changes: As of `Cluster`.
    """
    rates = read_rates()
    keep_us = rates["predict_keep_us"] if keep_us is None else keep_us
    made = Cluster(driver_image_s=keep_us / 1e6, ray_block_s=rates["ray_block_s"])
    return replace(made, **changes)


def show_run(run: cluster.Run) -> str:
    return f"{show_time(run.seconds)}, {run.bound}"


def tabulate_cluster() -> Table:
    """Return times of predict on images of 640×480 in a bucket, by nodes and images."""
    cpu_ms = read_rates()["predict_webcam_ms"]
    table = Table("nodes of 16 CPUs", *map(show_count, IMAGES), "CPUs used in the last")
    for nodes in NODES:
        found = [cluster.simulate(make_cluster(nodes=nodes), size, cpu_ms) for size in IMAGES]
        table.add(show_count(nodes), *map(show_run, found), f"{found[-1].efficiency:.0%}")
    return table


BUCKET = {"gets_per_s": 64 * 5500.0}
PART = {"gets_per_s": 4 * 5500.0}
FILES = {"get_s": 0.0, "put_s": 0.002, "list_s": 0.002}
CHANGES: dict[str, tuple[str, int, dict[str, float]]] = {
    "640×480, bucket, one prefix": ("webcam", 1, {}),
    "the same, 64 prefixes": ("webcam", 1, BUCKET),
    "the same, 16 commands, each 4 of them": ("webcam", 16, PART),
    "640×480, files": ("webcam", 1, FILES),
    "640×480, files, 16 commands": ("webcam", 16, FILES),
    "48×48, files": ("small", 1, FILES),
    "12 megapixels, bucket, 64 prefixes": ("telephone", 1, BUCKET),
    "12 megapixels, 16 commands, each 4 prefixes": ("telephone", 16, PART),
    "and a node lives 24 h": ("telephone", 16, {**PART, "lifetime_s": 86400.0}),
    "and every tenth node is half as fast": (
        "telephone", 16, {**PART, "lifetime_s": 86400.0, "slow_share": 0.1},
    ),
}  # fmt: skip
"""Row to the images, the number of jobs that share the nodes, and what is different."""


def tabulate_changes() -> Table:
    """Return the time of 100 million images under several conditions."""
    table = Table("predict, 100 million images", *(f"{n} nodes" for n in CHANGED_NODES))
    for name, (images, jobs, changes) in CHANGES.items():
        cpu_ms = read_rates()[f"predict_{images}_ms"]
        table.add(
            name, *(show_run(simulate(nodes, jobs, cpu_ms, changes)) for nodes in CHANGED_NODES)
        )
    return table


def simulate(nodes: int, jobs: int, cpu_ms: float, changes: dict[str, float]) -> cluster.Run:
    """Simulate commands that share nodes and images evenly, and return the slowest."""
    part = make_cluster(nodes=nodes // jobs, **changes)
    found = (cluster.simulate(part, IMAGES[-1] // jobs, cpu_ms, seed=seed) for seed in range(jobs))
    return max(found, key=lambda run: run.seconds)


def tabulate_limits() -> Table:
    """Return how many images a second one command keeps up with, and the CPUs that give them."""
    table = Table(
        "one command", "images a second, parts in files", "by CPUs", "parts in a bucket", "by CPUs"
    )
    for work in list_work():
        cells = []
        for place in (FILES, BUCKET):
            made = make_cluster(work.keep_us, **place)
            rate = made.block / count_driver_s(made)
            cells += [show(rate), show(rate * work.cpu_ms / 1e3 / made.shared)]
        table.add(work.name, *cells)
    return table


def tabulate_validation() -> Table:
    """Return what the simulation says of runs that Ray has done."""
    rates = read_rates()
    table = Table(
        "two nodes on one machine", "blocks of 64", "ms an image", "simulated", "measured", "ratio"
    )
    for cpus, blocks, ms, measured in rates["validated"]:
        expected = simulate_two_nodes(int(cpus), int(blocks), ms)
        table.add(
            f"{cpus} CPU{'s' if cpus > 1 else ''} each", str(blocks), f"{ms:g}",
            f"{expected:.1f} s", f"{measured:.1f} s", f"{measured / expected:.2f}",
        )  # fmt: skip
    return table


def simulate_two_nodes(cpus: int, blocks: int, ms: float) -> float:
    """Return the simulated seconds of the blocks after the first quarter, as they are measured."""
    pretended = Cluster(
        nodes=2, cpus=cpus, shared=1.0, start_s=0.0, block=64, spread=0.0, slow_share=0.0,
        get_s=0.0, put_s=0.0, list_s=0.0, driver_image_s=0.0,
        ray_block_s=read_rates()["ray_block_s"],
    )  # fmt: skip
    return cluster.simulate(pretended, (blocks - blocks // 4) * 64, ms).seconds


def tabulate_messages() -> Table:
    """Return what MQTT carries for 10,000 devices."""
    table = Table("MQTT, 10,000 devices", "messages per second", "bytes per second, payload")
    state, event = len(STATE), len(EVENT)
    for name, rate, size in (
        ("nothing changes: a state every 15 s", 10_000 / 15, state),
        ("a change in 10 s each, with its event", 10_000 / 10, state + event),
        ("the most: two states a second each", 20_000.0, state),
    ):
        table.add(name, show(rate), show_bytes(rate * size))
    return table


def tabulate_rollouts() -> Table:
    """Return the time of a rollout that nothing stops."""
    table = Table(
        "10,000 devices", "bytes in all", "50 % after, h", "95 %", "99 %", "without soak, 95 %"
    )
    cases = {
        "bundle, waves of 10, 100, 1,000, 8,890": {},
        "the same, by a server of 1 Gbit/s": {"server_bps": 1e9},
        "bundle and wheels, 42 MB": {"bytes": 42.3e6},
        "model file alone, 114 kB": {"bytes": 114e3},
        "bundle, a fifth of the devices away": {"away": 0.2},
        "bundle, soak of 1 h": {"soak_s": 3600.0},
    }
    for name, changes in cases.items():
        found = [fleet.simulate(fleet.Fleet(**changes), seed=seed) for seed in SEEDS]
        quick = fleet.Fleet(**{**changes, "soak_s": 0.0, "waves": ()})
        table.add(
            name,
            show_bytes(10_000 * quick.bytes),
            *(show(median(one.hours[share] for one in found)) for share in (50, 95, 99)),
            show(median(fleet.simulate(quick, seed=seed).hours[95] for seed in SEEDS)),
        )
    return table


def tabulate_gates() -> Table:
    """Return how often the gates stop a bad rollout, and how many devices it reached."""
    table = Table(
        "what is wrong", "stopped", "in wave, median", "devices changed, mean", "worse of them",
        "back after, h",
    )  # fmt: skip
    cases = {
        "nothing": {},
        "the self-test fails on 0.5 % of the devices": {"broken": 0.005},
        "the self-test fails on 5 %": {"broken": 0.05},
        "it predicts worse on 1 %, seen on half of them": {"bad": 0.01},
        "it predicts worse on 5 %, seen on half of them": {"bad": 0.05},
        "it predicts worse on all, seen on half of them": {"bad": 1.0},
        "it predicts worse on all, and nobody looks": {"bad": 1.0, "noticed": 0.0},
    }
    for name, changes in cases.items():
        found = [fleet.simulate(fleet.Fleet(**changes), seed=seed) for seed in range(100)]
        stopped = [one for one in found if one.stopped_at]
        table.add(
            name,
            f"{len(stopped)} of {len(found)}",
            f"{median(one.stopped_at for one in stopped):g}" if stopped else "–",
            show_count(sum(one.changed for one in found) / len(found)),
            show_count(sum(one.bad for one in found) / len(found)) if changes.get("bad") else "0",
            show(median(one.back_hours for one in stopped)) if stopped else "–",
        )
    return table
