"""Locks, and file systems that have none."""

from __future__ import annotations

import errno
import fcntl

import pytest

from edgeemo.utils import files
from edgeemo.utils.files import is_being_made, new_folder, write_file
from edgeemo.utils.locks import hold, is_held


def test_a_lock_is_held_inside_the_block_alone(tmp_path):
    assert is_held(tmp_path) is False
    with hold(tmp_path):
        assert is_held(tmp_path) is True
        with pytest.raises(BlockingIOError, match="another process is writing it"), hold(tmp_path):
            pass
    assert is_held(tmp_path) is False
    assert is_held(tmp_path / "missing") is None


def test_without_locks_nothing_is_refused_and_nothing_is_swept(tmp_path, monkeypatch):
    def refuse(descriptor, operation):
        raise OSError(errno.ENOLCK, "no locks available")

    (tmp_path / ".a.txt.partial-01234567").write_text("perhaps still being written")
    monkeypatch.setattr(fcntl, "flock", refuse)
    assert is_held(tmp_path) is None
    assert write_file(tmp_path / "a.txt", "text").read_text() == "text"
    assert (tmp_path / ".a.txt.partial-01234567").exists()
    with new_folder(tmp_path / "m"):
        assert not is_being_made(tmp_path / "m")
    assert (tmp_path / "m").is_dir()


def test_a_name_that_a_sweep_took_is_left_for_another(tmp_path, monkeypatch):
    tried = iter([False, True])
    monkeypatch.setattr(files, "try_lock", lambda descriptor: next(tried))
    assert write_file(tmp_path / "a.txt", "text").read_text() == "text"


def test_a_folder_that_stays_locked_is_not_waited_for_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_PATIENCE", 0.05)
    with hold(tmp_path), new_folder(tmp_path / "m"):
        pass
    assert (tmp_path / "m").is_dir()
