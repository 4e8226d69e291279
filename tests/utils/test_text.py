"""`edgeemo.utils.text`: numbers with their noun, names in a sentence, errors on one line."""

import pytest

from edgeemo.utils.text import first_line, format_size, join_and, one_line, plural


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ((0, "image"), "0 images"),
        ((1, "image"), "1 image"),
        ((1205, "flip"), "1,205 flips"),
        ((1, "copy", "copies"), "1 copy"),
        ((2, "image is", "images are"), "2 images are"),
    ],
)
def test_a_number_with_its_noun(words, text):
    assert plural(*words) == text


@pytest.mark.parametrize(
    ("names", "text"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (("a", "b", "c"), "a, b and c")],
)
def test_names_in_a_sentence(names, text):
    assert join_and(names) == text


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (ValueError("two\n  lines\t\n"), "two lines"),
        (ValueError(), "ValueError"),
        ("a  b", "a b"),
        ("", ""),
        (None, "None"),
    ],
)
def test_any_text_on_one_line(text, line):
    assert one_line(text) == line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (ValueError("\n  two \r\nlines"), "two"),
        (ValueError(" "), "ValueError"),
        ("a\nb", "a"),
        ("", ""),
    ],
)
def test_the_first_line_of_any_text(text, line):
    assert first_line(text) == line


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (927, "927 B"),
        (3764, "3.8 kB"),
        (14_786_720, "14.8 MB"),
        (999_960, "1.0 MB"),
        (287_000, "287 kB"),
    ],
)
def test_sizes_for_people(size_bytes, text):
    assert format_size(size_bytes) == text
