from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeemo.utils.text import escape_controls, has_controls


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mred.png", "a\\x1b[31mred.png"),
        ("two\nlines\r", "two\\nlines\\r"),
        ("\x9b2J", "\\x9b2J"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("a\u2066b\u2028", "a\\u2066b\\u2028"),
        ("\udcff.png", "\\udcff.png"),
    ],
)
def test_what_a_terminal_would_act_upon_is_escaped(text, shown):
    assert has_controls(text)
    assert escape_controls(text) == shown


@pytest.mark.parametrize("text", ["", "müde", "می‌خواهم", "👩‍👩‍👧.png", "a\u00a0b", "C:\\n", "שלום"])
def test_other_text_stays_as_it_is(text):
    assert not has_controls(text)
    assert escape_controls(text) == text


@given(st.text())
def test_nothing_is_left_to_escape(text):
    shown = escape_controls(text)
    assert not has_controls(shown)
    assert (shown == text) is not has_controls(text)
