from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeemo.utils.csv_text import read_rows, to_line, write_records, write_rows

_CELL = st.text(alphabet=st.sampled_from("=+-@\t\r\n'\",;|0.e1ab ＝")) | st.text()


@given(st.lists(st.lists(_CELL, min_size=1, max_size=4), max_size=5))
def test_every_text_comes_back(rows):
    stream = io.StringIO(newline="")
    write_rows(stream, rows)
    stream.seek(0)
    found = list(read_rows(stream))
    assert found == rows


@given(st.text(min_size=1))
def test_no_text_begins_like_a_formula(text):
    line = to_line([text]).lstrip('"')
    is_number = line.lstrip("+-").replace(".", "").isdecimal()
    assert is_number or not line.startswith(
        ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
    )


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1.png", "'=1+1.png"),
        ('=HYPERLINK("x","y")', '"\'=HYPERLINK(""x"",""y"")"'),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-1+2", "'-1+2"),
        ("+cmd", "'+cmd"),
        ("\t=1", "'\t=1"),
        ("'=1", "''=1"),
        ("'tis.png", "'tis.png"),
        ("-0.25", "-0.25"),
        ("+1e-05", "+1e-05"),
        (-0.25, "-0.25"),
        (-3, "-3"),
        (None, '""'),
        ("a=b.png", "a=b.png"),
    ],
)
def test_formulas_get_an_apostrophe_and_numbers_stay_numbers(cell, written):
    assert to_line([cell]) == written


def test_records_have_their_columns_first():
    stream = io.StringIO()
    write_records(stream, ["a", "b"], [{"a": 1, "b": "=x"}, {"a": None, "b": "y"}])
    assert stream.getvalue() == "a,b\n1,'=x\n,y\n"
