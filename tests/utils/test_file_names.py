from __future__ import annotations

import os

import pytest

from edgeemo.utils.file_names import fit_name


def test_a_short_name_stays():
    assert fit_name("a.b", ".png") == "a.b.png"


@pytest.mark.parametrize("letter", ["x", "ä", "😀", os.fsdecode(b"\xff")])
@pytest.mark.parametrize("end", ["", ".png", "-12.jpg"])
def test_a_long_name_is_cut_between_characters_and_stays_distinct(tmp_path, letter, end):
    names = [fit_name(f"{letter * 300}{number}", end, folder=tmp_path) for number in range(3)]
    assert len(set(names)) == 3
    for name in names:
        assert name.endswith(end)
        assert len(os.fsencode(name)) <= 255
        (tmp_path / name).touch()
    if letter.isprintable():
        assert all(name.isprintable() for name in names)
