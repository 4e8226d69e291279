"""Faces that are followed: ids, patience, smoothed boxes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeemo.imaging.faces.face import Face
from edgeemo.live.tracking import MAX_FACES, Tracker
from tests.live.scenes import SIZE, detect, draw_paths

FACES = st.lists(
    st.builds(Face, st.integers(-50, 640), st.integers(-50, 480), st.integers(1, 600)), max_size=14
)


def follow(tracker: Tracker, faces: list[Face], time_s: float, size=SIZE):
    tracker.advance(time_s, size)
    known = [track.id for track in tracker.tracks]
    return tracker.update(faces, sought=known)


@settings(max_examples=50)
@given(frames=st.lists(st.tuples(st.floats(0, 3), FACES), max_size=12))
def test_ids_rise_and_are_never_given_twice(frames) -> None:
    tracker, time_s, seen, before = Tracker(), 0.0, set(), set()
    for pause, faces in frames:
        time_s += pause
        followed = follow(tracker, faces, time_s)
        ids = [track.id for track, _ in followed]
        detections = [face for _, face in followed if face is not None]
        assert ids == sorted(set(ids))
        assert len(ids) <= MAX_FACES
        assert len(detections) == len(set(map(id, detections)))
        assert all(id in before or id not in seen for id in ids)
        seen |= set(ids)
        before = set(ids)


@pytest.mark.parametrize("fps", [5, 10, 30])
def test_two_faces_that_pass_apart_keep_their_ids(fps) -> None:
    rng = np.random.default_rng(fps)
    for _ in range(10):
        tracker, owner = Tracker(), {}
        for number, places in enumerate(draw_paths(rng, crossing=False, fps=fps)):
            who = detect(rng, places, lost=0.1)
            for track, face in follow(tracker, list(who), number / fps):
                if face is not None:
                    assert owner.setdefault(track.id, who[face]) == who[face]


@pytest.mark.parametrize("fps", [5, 30])
def test_an_id_lives_through_half_a_second_without_a_detection(fps) -> None:
    tracker, face = Tracker(), Face(100, 100, 80)
    times = np.arange(0, 3, 1 / fps)
    for time_s in times[times <= 1]:
        follow(tracker, [face], time_s)
    gone = [time_s for time_s in times[times > 1] if not follow(tracker, [], time_s)]
    assert 1.5 - 1e-6 <= gone[0] <= 1.5 + 1 / fps + 1e-6


def test_a_face_that_nobody_could_look_for_waits_longer() -> None:
    tracker = Tracker()
    follow(tracker, [Face(100, 100, 80)], 0)
    tracker.advance(1, SIZE)
    assert [track.id for track, _ in tracker.update([], sought=[])] == [1]
    tracker.advance(1.1, SIZE)
    assert tracker.update([], sought=[1]) == []


def test_faces_keep_their_relative_place_where_the_size_of_the_frame_changes() -> None:
    tracker = Tracker()
    for number in range(10):
        follow(tracker, [Face(300, 200, 80), Face(20, 30, 60)], number / 30)
    found = follow(tracker, [Face(600, 300, 160), Face(40, 45, 120)], 10 / 30, (1280, 720))
    assert [(track.id, face) for track, face in found] == [
        (1, Face(600, 300, 160)),
        (2, Face(40, 45, 120)),
    ]


def test_the_box_is_smoothed_and_does_not_lag_behind_a_moving_face() -> None:
    rng, tracker, errors = np.random.default_rng(1), Tracker(), []
    for number in range(90):
        x = 100 + 4 * number
        raw = Face(round(x + rng.normal(0, 2)), round(200 + rng.normal(0, 2)), 100)
        ((track, _),) = follow(tracker, [raw], number / 30)
        errors.append((raw.left - x, track.face.left - x))
    raw_error, error = np.std(errors[30:], axis=0)
    assert error < 0.7 * raw_error
    assert abs(np.mean(errors[30:], axis=0)[1]) < 1


def test_nothing_is_forgotten_while_nothing_moves() -> None:
    tracker = Tracker()
    follow(tracker, [Face(100, 100, 80)], 0)
    for second in range(1, 5):
        tracker.hold(float(second))
    assert follow(tracker, [Face(102, 101, 80)], 5.0)[0][0].id == 1
