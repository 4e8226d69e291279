from __future__ import annotations

import os
import subprocess
import sys

import pytest

from edgeemo.utils.files import new_folder, replacing, sha256_file, write_file


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = write_file(tmp_path / "a.txt", "old")
    with pytest.raises(RuntimeError), replacing(path) as partial:
        partial.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_a_failed_folder_leaves_the_old_one_and_nothing_else(tmp_path):
    with new_folder(tmp_path / "m") as partial:
        (partial / "x").write_text("old")
    with pytest.raises(RuntimeError), new_folder(tmp_path / "m", replace=True) as partial:
        (partial / "x").write_text("half")
        raise RuntimeError
    assert (tmp_path / "m" / "x").read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["m"]


def test_an_existing_folder_is_replaced_only_when_asked(tmp_path):
    (tmp_path / "m").mkdir()
    with pytest.raises(FileExistsError), new_folder(tmp_path / "m"):
        pass
    with new_folder(tmp_path / "m", replace=True) as partial:
        (partial / "x").write_text("new")
    assert (tmp_path / "m" / "x").read_text() == "new"


def test_what_a_killed_process_left_is_hidden_and_removed_by_the_next(tmp_path):
    code = (
        "import os, sys, signal; from pathlib import Path\n"
        "from edgeemo.utils.files import new_folder\n"
        "with new_folder(Path(sys.argv[1])) as p:\n"
        "    (p / 'x').write_text('half'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path / "m"], check=False)
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".m.partial-")
    with new_folder(tmp_path / "m"):
        pass
    assert [entry.name for entry in tmp_path.iterdir()] == ["m"]


def test_a_folder_lost_between_two_renames_is_brought_back(tmp_path):
    (tmp_path / ".m.partial-999999999-old").mkdir()
    with pytest.raises(RuntimeError), new_folder(tmp_path / "m", replace=True):
        raise RuntimeError
    assert [entry.name for entry in tmp_path.iterdir()] == ["m"]


def test_another_running_writer_is_left_alone(tmp_path):
    busy = tmp_path / f".a.txt.partial-{os.getppid()}"
    busy.write_text("at work")
    write_file(tmp_path / "a.txt", b"\x00")
    assert busy.exists()


def test_sha256_of_a_known_file(tmp_path):
    path = write_file(tmp_path / "abc", "abc")
    assert sha256_file(path).startswith("ba7816bf8f01cfea")


def test_a_folder_that_fails_leaves_no_parents_behind(tmp_path):
    (tmp_path / "there").mkdir()
    with pytest.raises(ValueError), new_folder(tmp_path / "there" / "a" / "b" / "new"):
        raise ValueError
    assert list(tmp_path.iterdir()) == [tmp_path / "there"]
    assert list((tmp_path / "there").iterdir()) == []
