"""Options that are declared once."""

from __future__ import annotations

from dataclasses import MISSING, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import pytest

from edgeemo.utils.options import Argument, Option, convert_fields, option_fields


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


@dataclass(frozen=True, kw_only=True)
class Settings:
    place: Annotated[Path, Argument("Where.")]
    epochs: Annotated[int, Option("How often.", minimum=1, maximum=4096)] = 20
    rate: Annotated[float | None, Option("How fast.", above=0, below=1)] = None
    channels: Annotated[Literal[1, 3], Option("Channels.")] = 3
    colour: Annotated[Colour, Option("Colour.")] = Colour.RED
    colours: Annotated[tuple[Colour, ...], Option("Colours.")] = ()
    shares: Annotated[tuple[float, float], Option("Shares.", minimum=0)] = (0.5, 0.5)
    start: Annotated[Colour | Path, Option("A colour or a file.")] = Colour.RED
    quiet: Annotated[bool, Option("Say nothing.")] = False
    faces: Annotated[bool | None, Option("Faces.")] = None
    internal: int = 0

    def __post_init__(self) -> None:
        convert_fields(self)


FIELDS = option_fields(Settings)


def test_the_field_has_the_name_the_type_and_the_default():
    assert "internal" not in FIELDS
    epochs, rate = FIELDS["epochs"], FIELDS["rate"]
    assert (epochs.type, epochs.default, epochs.is_optional) == (int, 20, False)
    assert (rate.type, rate.default, rate.is_optional) == (float, None, True)
    assert FIELDS["place"].default is MISSING
    assert isinstance(FIELDS["place"].option, Argument)
    assert FIELDS["colours"].choices == ("red", "green")
    assert FIELDS["channels"].choices == (1, 3)


def test_flags_are_spelt_as_the_field():
    assert FIELDS["epochs"].flag == "--epochs"
    assert FIELDS["quiet"].flags == "--quiet"
    assert FIELDS["faces"].flags == "--faces/--no-faces"
    assert FIELDS["faces"].flag == "--faces"


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        ({}, ""),
        ({"minimum": 1, "maximum": 4096}, "1 to 4,096"),
        ({"minimum": -0.3, "maximum": 2.0}, "-0.3 to 2"),
        ({"minimum": 0, "below": 1}, "at least 0 and less than 1"),
        ({"above": 0, "maximum": 1}, "more than 0 and at most 1"),
        ({"above": 0}, "more than 0"),
    ],
)
def test_a_range_is_told_in_words(limits, text):
    assert Option("Help.", **limits).range == text


@pytest.mark.parametrize(
    ("name", "typed", "value"),
    [
        ("epochs", "7", 7),
        ("rate", "1/4", 0.25),
        ("rate", "5e-1", 0.5),
        ("channels", "1", 1),
        ("colour", "green", Colour.GREEN),
        ("colours", "red, green", (Colour.RED, Colour.GREEN)),
        ("colours", "", ()),
        ("shares", "0.2,4/5", (0.2, 0.8)),
        ("start", "green", Colour.GREEN),
        ("start", "a/green", Path("a/green")),
        ("place", "x", Path("x")),
    ],
)
def test_what_is_typed_becomes_a_value(name, typed, value):
    assert FIELDS[name].parse(typed) == value
    assert type(FIELDS[name].parse(typed)) is type(value)


@pytest.mark.parametrize(
    ("name", "typed", "rule"),
    [
        ("epochs", "x", "must be a whole number, not 'x'"),
        ("epochs", "1.5", "must be a whole number, not '1.5'"),
        ("epochs", "0", "must be 1 to 4,096, not 0"),
        ("rate", "1/0", "must be a number, not '1/0'"),
        ("rate", "nan", "must be more than 0 and less than 1, not nan"),
        ("rate", "1", "must be more than 0 and less than 1, not 1.0"),
        ("channels", "2", "must be 1 or 3, not '2'"),
        ("colour", "grean", "must be red or green, not 'grean'; did you mean 'green'?"),
        ("colour", "foo", "must be red or green, not 'foo'"),
        ("colours", "red,gren", "must be a list of red or green, not 'red,gren'; did you mean"),
        ("shares", "1", "must be a list of 2 numbers, not '1'"),
        ("shares", "1,a", "must be a list of 2 numbers, not '1,a'"),
        ("shares", "1,-1", "must be at least 0, not '1,-1'"),
    ],
)
def test_what_is_wrong_is_told_as_a_rule(name, typed, rule):
    with pytest.raises(ValueError, match="must be") as caught:
        FIELDS[name].parse(typed)
    assert str(caught.value).startswith(rule)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", True),
        ("epochs", 1.0),
        ("epochs", None),
        ("quiet", 1),
        ("colours", "red"),
        ("place", 3),
        ("channels", True),
    ],
)
def test_another_type_is_refused(name, value):
    with pytest.raises(ValueError, match="must be "):
        FIELDS[name].convert(value)


def test_a_dataclass_converts_and_checks_its_own_fields():
    settings = Settings(place="here", colour="green", colours=["red"], rate=None)
    assert settings == Settings(place=Path("here"), colour=Colour.GREEN, colours=(Colour.RED,))
    assert isinstance(settings.colour, Colour)
    with pytest.raises(ValueError, match=r"^epochs must be 1 to 4,096, not 0$"):
        Settings(place="here", epochs=0)


def test_names_are_offered_of_a_text_that_may_be_any():
    @dataclass(frozen=True)
    class Open:
        name: Annotated[str, Option("A name.", names=lambda: ["a", "b"])] = "a"

    field = option_fields(Open)["name"]
    assert field.names == ("a", "b")
    assert field.parse("other") == "other"
