"""Dataclasses as plain JSON values and back."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeemo.utils.serialize import from_plain, to_plain


class Colour(StrEnum):
    red = "red"
    green = "green"


class Size(Enum):
    small = 1
    large = 2


@dataclass(frozen=True)
class Point:
    x: float
    y: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Everything:
    DERIVED: ClassVar[tuple[str, ...]] = ("total", "version")
    version: ClassVar[int] = 3

    name: str
    count: int
    share: float
    good: bool
    place: Path
    colour: Colour
    size: Size
    level: Literal["act", "look"]
    points: tuple[Point, ...]
    pair: tuple[int, str]
    names: list[str]
    more: Sequence[int]
    table: dict[str, Point]
    rates: Mapping[str, float]
    anything: Any
    best: Point | None = None
    faces: Point | bool | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def total(self) -> int:
        return len(self.points)


EVERYTHING = Everything(
    name="a",
    count=2,
    share=0.5,
    good=True,
    place=Path("a/b"),
    colour=Colour.green,
    size=Size.large,
    level="look",
    points=(Point(1.0), Point(2.0, 3.0)),
    pair=(1, "b"),
    names=["c"],
    more=(4, 5),
    table={"d": Point(0.25)},
    rates={"e": 1.0},
    anything={"f": [None]},
    faces=False,
)


def changed(**changes: Any) -> dict[str, Any]:
    return {**to_plain(EVERYTHING), **changes}


def test_a_value_comes_back_from_json():
    assert from_plain(Everything, json.loads(json.dumps(to_plain(EVERYTHING)))) == EVERYTHING


def test_derived_values_come_first_and_are_ignored_when_reading():
    assert list(to_plain(EVERYTHING))[:3] == ["total", "version", "name"]
    assert from_plain(Everything, changed(total=99)) == EVERYTHING


def test_defaults_stand_in_for_missing_keys():
    plain = changed()
    del plain["faces"], plain["notes"]
    assert from_plain(Everything, plain).faces is None


def test_plain_forms():
    assert to_plain(EVERYTHING)["place"] == "a/b"
    assert to_plain(EVERYTHING)["size"] == 2
    assert type(to_plain(EVERYTHING)["colour"]) is str
    assert to_plain(EVERYTHING)["table"] == {"d": {"x": 0.25, "y": 0.0}}
    assert to_plain({1: (2, 3)}) == {"1": [2, 3]}
    with pytest.raises(TypeError, match="set has no plain form"):
        to_plain({"a": {1}})


def test_a_whole_number_serves_as_a_number():
    share = from_plain(Everything, changed(share=1)).share
    assert type(share) is float


def test_a_union_takes_the_first_type_that_fits():
    assert from_plain(Everything, changed(faces={"x": 1.0})).faces == Point(1.0)
    assert from_plain(Everything, changed(faces=True)).faces is True


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"count": "two"}, "count: a whole number expected, not 'two'"),
        ({"count": True}, "count: a whole number expected, not bool"),
        ({"share": None}, "share: a number expected, not NoneType"),
        ({"name": 1}, "name: text expected, not int"),
        ({"place": 1}, "place: text expected, not int"),
        ({"level": "no"}, "level: one of act, look expected, not 'no'"),
        ({"colour": "blue"}, "colour: one of red, green expected, not 'blue'"),
        ({"points": [{"x": 1}, {"x": "a"}]}, r"points\[1\].x: a number expected, not 'a'"),
        ({"points": 1}, "points: a list expected, not int"),
        ({"pair": [1]}, "pair: a list of 2 expected, not list"),
        ({"table": {"d": {"y": 1.0}}}, "table.d.x is missing"),
        ({"table": {"d": {"x": 1.0, "z": 1.0}}}, "table.d.z is unknown"),
        ({"table": []}, "table: an object expected, not list"),
        ({"best": []}, "best: an object expected, not list"),
        ({"faces": "yes"}, "faces: true or false expected, not 'yes'"),
        ({"other": 1}, "other is unknown"),
        ({"version": 2}, "version: 3 expected, not 2"),
    ],
)
def test_what_does_not_fit_is_named_in_one_line(change, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        from_plain(Everything, changed(**change))


def test_the_whole_must_be_an_object():
    with pytest.raises(ValueError, match=r"^an object expected, not list$"):
        from_plain(Point, [])


@given(st.builds(Point, st.floats(allow_nan=False), st.floats(allow_nan=False)))
def test_every_number_survives(point):
    assert from_plain(Point, json.loads(json.dumps(to_plain(point)))) == point
