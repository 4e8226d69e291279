"""The plan of docs/scale.md has the tables of its program, and the simulations behave."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.scale import __main__ as program
from benchmarks.scale import cluster, fleet, runs
from benchmarks.scale.inputs import Cluster

SLOW = {"cluster", "changes"}
"""Simulations of 100 million images."""

STEADY = Cluster(
    nodes=4, cpus=2, shared=1.0, start_s=0.0, spread=0.0, slow_share=0.0, get_s=0.0, put_s=0.0,
    list_s=0.0, driver_image_s=0.0, ray_block_s=0.0, block=100,
)  # fmt: skip


@pytest.mark.parametrize("name", sorted(set(program.TABLES) - SLOW))
def test_the_page_has_the_table(name):
    page = program.PAGE.read_text(encoding="utf-8")
    assert str(program.TABLES[name]()) in page, "run 'python -m benchmarks.scale --write'"


def test_the_page_has_the_simulated_times():
    page = program.PAGE.read_text(encoding="utf-8")
    cpu_ms = runs.read_rates()["predict_webcam_ms"]
    cells = [
        runs.show_run(cluster.simulate(runs.make_cluster(nodes=8), size, cpu_ms))
        for size in runs.IMAGES[:2]
    ]
    assert f"| 8 | {' | '.join(cells)} |" in page, "run 'python -m benchmarks.scale --write'"


def test_blocks_divide_evenly_where_nothing_is_lost():
    run = cluster.simulate(STEADY, 80_000, 10.0)
    assert run.seconds == pytest.approx(80_000 * 0.01 / 8)
    assert (run.efficiency, run.repeated, run.bound) == (pytest.approx(1.0), 0, "CPUs")


def test_lost_blocks_are_done_again():
    mortal = replace(STEADY, lifetime_s=50.0, noticed_s=5.0, replaced_s=5.0)
    run = cluster.simulate(mortal, 80_000, 10.0)
    assert run.repeated > 0
    assert run.seconds > 80_000 * 0.01 / 8
    assert run == cluster.simulate(mortal, 80_000, 10.0)
    assert run != cluster.simulate(mortal, 80_000, 10.0, seed=1)


@pytest.mark.parametrize(
    ("changes", "seconds", "bound"),
    [
        ({"ray_block_s": 0.5}, 800 * 0.5, "driver"),
        ({"list_s": 10.0}, 80 * 10.0, "listing"),
        ({"get_s": 1.0, "ahead": 20, "gets_per_s": 1e6}, 80_000 * 0.1 / 8, "latency"),
        ({"get_s": 0.001, "gets_per_s": 200.0}, 800, "bucket"),
    ],
)
def test_a_run_takes_as_long_as_its_slowest_part(changes, seconds, bound):
    run = cluster.simulate(replace(STEADY, **changes), 80_000, 10.0)
    assert run.seconds == pytest.approx(seconds, rel=0.05)
    assert run.bound == bound


def test_a_gate_keeps_a_bad_bundle_from_the_fleet():
    bad = fleet.simulate(fleet.Fleet(bad=1.0, noticed=1.0), seed=0)
    assert (bad.stopped_at, bad.changed, bad.bad) == (1, 10, 10)
    good = fleet.simulate(fleet.Fleet(), seed=0)
    assert (good.stopped_at, good.changed, good.bad) == (0, 10_000, 0)
    assert good.hours[50] < good.hours[95] < good.hours[99]
