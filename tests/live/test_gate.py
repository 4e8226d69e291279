"""The motion gate: noise and light keep it closed, motions and time open it."""

from __future__ import annotations

import numpy as np
import pytest

from edgeemo.live.gate import PERIOD_S, MotionGate, average_cells, has_moved

SIZE = (240, 320)


def scene(rng: np.random.Generator, noise: float = 3, light: float = 0) -> np.ndarray:
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    still = 110 + 50 * np.sin(rows / 18) * np.cos(columns / 26)
    return np.clip(still + light + rng.normal(0, noise, SIZE), 0, 255).astype(np.uint8)


def count_looks(gate: MotionGate, frames, *, fps: float = 30, start: int = 0) -> int:
    return sum(
        gate.is_held((start + number) / fps) or gate.is_open(frame, (start + number) / fps)
        for number, frame in enumerate(frames)
    )


@pytest.mark.parametrize("noise", [0, 3, 10])
def test_a_still_scene_is_looked_at_once_a_second(noise) -> None:
    rng, gate = np.random.default_rng(0), MotionGate(open_s=0.5)
    frames = [scene(rng, noise) for _ in range(20)]
    assert count_looks(gate, frames[:15]) == 15  # the first frames are new
    still = [frames[number % 20] for number in range(90)]
    assert count_looks(gate, still, start=15) <= 4
    flicker = [scene(rng, noise, light=8 * (number % 2)) for number in range(30)]
    assert count_looks(gate, flicker, start=105) <= 2


def test_something_that_enters_is_seen_in_its_first_frames() -> None:
    rng, missed = np.random.default_rng(1), 0
    before = average_cells(scene(rng))
    for _ in range(30):
        frame = scene(rng)
        top, left, side = rng.integers(0, 200), rng.integers(0, 280), rng.integers(12, 40)
        frame[top : top + side, left : left + side] += np.uint8(rng.integers(40, 80))
        missed += not has_moved(before, average_cells(frame))
    assert missed == 0


def test_what_covers_the_frame_and_new_light_are_seen() -> None:
    rng = np.random.default_rng(2)
    before, covered = scene(rng), scene(rng)
    covered[:, :250] = rng.integers(0, 255, (240 // 8, 250 // 10)).repeat(8, 0).repeat(10, 1)
    for after in (covered, scene(rng, light=60), scene(rng)[:120, :160]):
        assert has_moved(average_cells(before), average_cells(after))


def test_it_stays_open_until_labels_settle_and_opens_where_the_clock_is_set_back() -> None:
    rng, gate = np.random.default_rng(3), MotionGate(open_s=0.5)
    frames = [scene(rng) for _ in range(30)]
    count_looks(gate, frames)
    assert not gate.is_open(frames[0], 1.0)
    assert gate.is_open(frames[1], 1.0 + PERIOD_S)
    gate.stay_open()
    assert count_looks(gate, frames, start=61) == 14
    gate.stay_open()
    assert gate.is_open(frames[0], -5.0)
    assert count_looks(gate, frames, start=-120) == 1


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (90, 120), (2160, 3840)])
def test_any_size(size) -> None:
    frame = np.full(size, 100, np.uint8)
    assert not has_moved(average_cells(frame), average_cells(frame))
    assert has_moved(average_cells(frame), average_cells(frame + np.uint8(80)))
