"""Ids of two faces that pass each other while a tenth of the detections is lost.

A hundred drawn scenes of boxes with BlazeFace's jitter at each of 30, 10 and 5 frames per second;
where two boxes share 0.3 of their union, one is hidden. Goals at 30: no id goes over to the other
face where they pass apart, and at most 5 where they cross.
"""

from __future__ import annotations

import argparse

import numpy as np

from edgeemo.live.tracking import Tracker
from tests.live.scenes import SIZE, detect, draw_paths

_RATES = (30, 10, 5)


def main(arguments: list[str]) -> int:
    """Count ids that go over to the other face, and ids that are given anew.

    Args:
        arguments: Words of the command line.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=100)
    parser.add_argument("--lost", type=float, default=0.1)
    given = parser.parse_args(arguments)
    swaps = {}
    for crossing in (False, True):
        for fps in _RATES:
            chance = np.random.default_rng(fps)
            counts = [
                count_swaps(chance, crossing=crossing, fps=fps, lost=given.lost)
                for _ in range(given.scenes)
            ]
            swaps[crossing, fps] = sum(each[0] for each in counts)
            print(f"{'crossing' if crossing else 'apart':8} {fps:2} fps: "
                  f"{swaps[crossing, fps]} swaps, {sum(each[1] for each in counts)} new ids "
                  f"in {given.scenes} scenes")  # fmt: skip
    return 0 if swaps[False, 30] == 0 and swaps[True, 30] <= 5 else 1


def count_swaps(
    chance: np.random.Generator, *, crossing: bool, fps: float, lost: float
) -> tuple[int, int]:
    """Return how often an id goes over to the other face, and how many ids are given anew."""
    tracker, owner, swaps = Tracker(), {}, 0
    for number, places in enumerate(draw_paths(chance, crossing=crossing, fps=fps)):
        who = detect(chance, places, lost=lost)
        tracker.advance(number / fps, SIZE)
        for track, face in tracker.update(list(who), sought=[t.id for t in tracker.tracks]):
            if face is not None:
                swaps += owner.get(track.id, who[face]) != who[face]
                owner[track.id] = who[face]
    return swaps, max(0, tracker.next_id - 3)
