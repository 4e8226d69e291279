"""Looks over time: at most two per frame, turns, and faces that are sought where they were."""

from __future__ import annotations

import io
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from edgeemo.bench import draw_camera_frame, draw_photo
from edgeemo.imaging.faces.blaze import BlazeFace, Look
from edgeemo.imaging.faces.face import Face
from edgeemo.live.looks import PacedSearch, TurnSearch, build_search, list_parts


@pytest.fixture(scope="module")
def detector() -> BlazeFace:
    return BlazeFace(min_score=0.7)


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    return Image.open(io.BytesIO(draw_photo())).convert("RGB")


@pytest.fixture(scope="module")
def small(photo) -> Image.Image:
    """A frame with two small faces, which the first look does not see."""
    scene = Image.new("RGB", (640, 480), (90, 95, 100))
    scene.paste(photo.resize((192, 144), Image.Resampling.BOX), (300, 200))
    return scene


@pytest.fixture
def looks(monkeypatch) -> list[Look]:
    """The looks that are taken, in their order."""
    taken: list[Look] = []
    detect = Look.detect

    def count(self, image):
        taken.append(self)
        return detect(self, image)

    monkeypatch.setattr(Look, "detect", count)
    return taken


def test_a_near_face_costs_one_look_and_has_the_box_of_predict(detector, photo, looks) -> None:
    search = build_search(detector)
    found = search.search(photo, known={}, time_s=0)
    assert looks == [detector.looks[0]]
    assert found.faces == detector.detect(photo)
    known = dict(enumerate(found.faces))
    assert search.search(photo, known=known, time_s=0.03).sought == known.keys()
    assert len(looks) == 3


def test_without_a_face_the_other_looks_take_turns(detector, looks) -> None:
    frame = Image.open(io.BytesIO(draw_camera_frame())).convert("RGB")
    search, taken = TurnSearch(detector), []
    search.search(frame, known={}, time_s=-0.1)  # the first frame gets all looks
    for number in range(14):
        looks.clear()
        assert search.search(frame, known={}, time_s=number / 30).faces == ()
        assert looks[0] is detector.looks[0]
        taken += looks[1:]
    assert len(taken) == 14
    assert taken.count(detector.part_look) == 12
    assert taken.count(detector.looks[2]) == 2


def test_a_small_face_is_found_in_a_turn_and_then_where_it_was(detector, small, looks) -> None:
    search = TurnSearch(detector)
    search.search(Image.new("RGB", small.size), known={}, time_s=-0.1)
    found = [search.search(small, known={}, time_s=number / 30).faces for number in range(7)]
    face = next(faces[0] for faces in found if faces)
    hits = 0
    for number in range(9):
        looks.clear()
        seen = search.search(small, known={7: face}, time_s=number / 30)
        assert len(looks) == 2
        hits += 7 in seen.sought and bool(seen.faces)
    assert hits >= 6


def test_a_frame_long_after_the_one_before_gets_all_looks(detector, small, looks) -> None:
    search = TurnSearch(detector)
    expected = detector.detect(small)
    assert expected
    for time_s in (0.0, 0.5, 3.0, 1.0):
        assert search.search(small, known={}, time_s=time_s).faces == expected
    looks.clear()
    search.search(small, known={}, time_s=1.2)
    assert len(looks) == 2


def test_another_detector_runs_at_a_bounded_rate(photo) -> None:
    class Slow:
        calls = 0

        def detect(self, image):
            self.calls += 1
            return (Face(0, 0, 10),)

    slow = Slow()
    search = build_search(slow)
    assert isinstance(search, PacedSearch)
    found = [search.search(photo, known={1: Face(0, 0, 9)}, time_s=n / 30) for n in range(30)]
    assert slow.calls == 10
    assert [bool(each.sought) for each in found] == [bool(each.faces) for each in found]
    set_back = [search.search(photo, known={}, time_s=n / 30 - 100) for n in range(30)]
    assert sum(bool(each.faces) for each in set_back) == 10


@given(width=st.integers(1, 5000), height=st.integers(1, 5000))
def test_the_parts_cover_an_image_and_overlap_by_a_small_face(width, height) -> None:
    parts = list_parts((width, height))
    for length, starts in (
        (width, sorted({part.left for part in parts})),
        (height, sorted({part.top for part in parts})),
    ):
        side = parts[0].side
        assert starts[0] <= 0
        assert starts[-1] + side >= length or min(width, height) < 3
        overlaps = [one + side - other for one, other in pairwise(starts)]
        assert min(overlaps, default=side) >= max(width, height) / 6 - 2
