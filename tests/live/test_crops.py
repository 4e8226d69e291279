"""Names of crops that are kept to train on."""

from __future__ import annotations

import pytest

from edgeemo.live.crops import label_folder, name_crop


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("not happy", "not happy"),
        ("a/b", "a-b"),
        ("..", "_.."),
        (".", "_."),
        ("/etc", "-etc"),
        ("../..", "_..-.."),
        ("a\\..\\b", "a_.._b"),
        ("C:", "_"),
    ],
)
def test_the_folder_of_a_label_is_the_label_to_train_on_and_in_the_folder(tmp_path, label, name):
    assert label_folder(tmp_path, label) == tmp_path / name


def test_the_folder_of_a_long_label_can_be_made(tmp_path):
    folders = [label_folder(tmp_path, "é" * 200 + end) for end in "ab"]
    for folder in folders:
        folder.mkdir()
    assert folders[0] != folders[1]


def test_the_name_of_a_file_has_no_odd_characters(tmp_path):
    assert name_crop("12:30 face-1_not happy", tmp_path) == "12-30-face-1_not-happy.png"
