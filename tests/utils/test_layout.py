"""Tables and facts at any width: nothing is lost, no number and no name is broken."""

from __future__ import annotations

import io
import os
import pty
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeemo.utils.layout import format_facts, format_list, format_table, get_width, wrap

COLUMNS = ("file", "finding", "AUC (95 %)")
ROWS = [
    ("float32.tflite", "happy images are stored in smaller files", "0.51 (0.36 to 0.66)"),
    ("int8.onnx", "the same in all images", "1,234.5"),
]
NAME = st.text("abcdefgh-_./1234567890", min_size=1, max_size=30)
PROSE = st.lists(NAME, max_size=12).map(" ".join)
WIDTH = st.integers(20, 120)


def test_columns_in_line():
    lines = format_table(("name", "ms"), [("a", "1.00"), ("longer", "10.0")])
    assert lines == ["name      ms", "------------", "a       1.00", "longer  10.0"]


def test_a_table_that_fits_is_the_same_without_a_width():
    table = format_table(COLUMNS, ROWS, prose=["finding"], numbers_from=2)
    assert format_table(COLUMNS, ROWS, prose=["finding"], numbers_from=2, width=200) == table
    assert len(table) == 2 + len(ROWS)


def test_prose_is_broken_at_spaces():
    assert format_table(COLUMNS, ROWS, prose=["finding"], numbers_from=2, width=64) == [
        "file            finding                               AUC (95 %)",
        "----------------------------------------------------------------",
        "float32.tflite  happy images are stored in   0.51 (0.36 to 0.66)",
        "                smaller files",
        "int8.onnx       the same in all images                   1,234.5",
    ]


def test_a_table_without_room_is_a_list():
    assert format_table(COLUMNS, ROWS, prose=["finding"], numbers_from=2, width=40) == [
        "file: float32.tflite",
        "  finding: happy images are stored in",
        "    smaller files",
        "  AUC (95 %): 0.51 (0.36 to 0.66)",
        "file: int8.onnx",
        "  finding: the same in all images",
        "  AUC (95 %): 1,234.5",
    ]
    assert format_table(COLUMNS, ROWS, numbers_from=2, width=64)[0] == "file: float32.tflite"


def test_a_list_leaves_out_what_is_empty_and_keeps_a_name_with_spaces_whole():
    row = ("", "", "a name with several spaces.tflite")
    assert format_list(COLUMNS, [row], width=20) == ["AUC (95 %):", f"  {row[2]}"]


def test_facts_are_in_two_columns_and_in_a_narrow_terminal_below_each_other():
    path = Path("models/a name with spaces/a-very-long-name/study.csv")
    facts = {"network": "cnn-16-32-16, 1,234,567 parameters, bce", "all trials": path}
    assert format_facts(facts, width=44) == [
        "network     cnn-16-32-16, 1,234,567",
        "            parameters, bce",
        "all trials",
        f"    {path}",
    ]
    assert format_facts(facts, width=30) == [
        "network: cnn-16-32-16,",
        "  1,234,567 parameters, bce",
        "all trials:",
        f"  {path}",
    ]
    assert len(format_facts(facts)) == 2


def test_a_letter_may_take_two_columns_or_none():
    lines = format_table(("label", "n"), [("悲しい", "1"), ("e\u0301te\u0301", "2")])
    assert lines[2:] == ["悲しい  1", "e\u0301te\u0301     2"]


@given(st.lists(st.tuples(NAME, PROSE, NAME), min_size=1, max_size=4), WIDTH)
def test_no_cell_is_lost_or_broken_and_only_a_long_one_exceeds_the_width(rows, width):
    lines = format_table(("name", "text", "n"), rows, width=width, prose=["text"])
    shown = "\n".join(lines)
    for name, text, number in rows:
        for word in (name, *text.split(), number):
            assert word in shown
    for line in lines:
        assert len(line) <= width or " " not in line.strip()


@given(st.dictionaries(NAME, PROSE, min_size=1, max_size=4), WIDTH)
def test_no_fact_is_lost_or_broken_and_only_a_long_word_exceeds_the_width(facts, width):
    lines = format_facts(facts, width=width)
    words = " ".join(lines).replace(":", "").split()
    assert words == [word for name, text in facts.items() for word in (name, *text.split())]
    for line in lines:
        assert len(line) <= width or " " not in line.strip()


@given(PROSE, WIDTH)
def test_wrapped_text_is_the_same_text(text, width):
    assert " ".join(line.strip() for line in wrap(text, width, indent="  ")) == text


@pytest.mark.parametrize(("columns", "width"), [("40", 40), ("", None), ("0", None), ("x", None)])
def test_the_width_of_a_file_is_that_of_columns_if_any(monkeypatch, tmp_path, columns, width):
    monkeypatch.setenv("COLUMNS", columns)
    assert get_width(io.StringIO()) == width
    with (tmp_path / "out").open("w") as stream:
        assert get_width(stream) == width


@pytest.mark.parametrize(("columns", "width"), [(40, 40), (0, 80)])
def test_the_width_of_a_terminal_is_its_own(monkeypatch, columns, width):
    import fcntl
    import struct
    import termios

    monkeypatch.delenv("COLUMNS", raising=False)
    master, slave = pty.openpty()
    try:
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        with os.fdopen(os.dup(slave), "w") as stream:
            assert get_width(stream) == width
    finally:
        os.close(master)
        os.close(slave)
