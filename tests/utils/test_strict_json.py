from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeemo.utils.strict_json import parse_json, parse_object, require, require_fields

_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(_VALUES)
def test_what_json_writes_is_read(value):
    assert parse_json(json.dumps(value)) == value
    assert parse_json(json.dumps(value).encode()) == value


def test_a_byte_order_mark_is_passed_over():
    assert parse_json(b"\xef\xbb\xbf[1]") == [1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 100_000, "nested too deeply"),
        ("[" * 60 + "]" * 60, "nested too deeply"),
        ('{"a":' * 1000 + "1" + "}" * 1000, "nested too deeply"),
        ("[NaN]", "NaN is not a number"),
        ("-Infinity", "-Infinity is not a number"),
        ("1e999", "out of range"),
        ("9" * 5000, "more than 18 digits"),
        ('{"a": 1, "b": 2, "a": 3}', "'a' is repeated"),
        (b"\xff\xfe[\x00", "utf-8"),
        (b'"\xff"', "utf-8"),
        (b"", "Expecting value"),
        (b'["\\ud800"]', "half of a surrogate pair"),
        ('{"\\uDFFFa": 1}', "half of a surrogate pair"),
        ("[1, 2", "Expecting"),
    ],
)
def test_a_fault_is_one_value_error(text, message):
    with pytest.raises(ValueError, match=message) as raised:
        parse_json(text)
    assert "\n" not in str(raised.value)


def test_a_character_of_two_surrogates_is_read():
    assert parse_json(b'"\\ud83d\\ude00"') == "\N{GRINNING FACE}"


def test_true_is_no_number_and_a_whole_number_is_one():
    assert require(1, float, "threshold") == 1
    for value, kind in (
        (True, int),
        (False, float),
        (1, bool),
        ("1", int),
        (1.0, int),
        (None, str),
    ):
        with pytest.raises(ValueError, match=r"threshold: .* expected, not"):
            require(value, kind, "threshold")


def test_fields_are_checked_where_they_are_there():
    assert require_fields({"n": 1, "more": []}, {"n": int, "m": str}) == {"n": 1, "more": []}
    with pytest.raises(ValueError, match="m: text expected, not int"):
        require_fields({"m": 1}, {"m": str})
    with pytest.raises(ValueError, match="files: an object expected, not list"):
        require_fields([], {}, "files")
    with pytest.raises(ValueError, match="its content: an object expected"):
        parse_object("[]")
