from __future__ import annotations

import pytest

from edgeemo.dataset import locate_files
from edgeemo.errors import DatasetError
from edgeemo.utils.files import sha256_file


@pytest.fixture
def folder(tmp_path):
    for name in ("happy/a", "happy/b", "sad/c", ".hidden/d"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


@pytest.fixture
def hashed(monkeypatch):
    """The files that were hashed."""
    names = []

    def counted(path):
        names.append(path.name)
        return sha256_file(path)

    monkeypatch.setattr("edgeemo.dataset.ingest.lookup.sha256_file", counted)
    return names


def test_hinted_places_are_looked_at_first_and_nothing_else(folder, hashed):
    wanted = {sha256_file(folder / name): name for name in ("happy/a", "sad/c")}
    found = locate_files(folder, wanted, hint=wanted)
    assert found == {sha256: folder / name for sha256, name in wanted.items()}
    assert sorted(hashed) == ["a", "c"]


def test_moved_and_renamed_files_are_found(folder):
    sha256 = sha256_file(folder / "happy" / "a")
    (folder / "elsewhere").mkdir()
    (folder / "happy" / "a").rename(folder / "elsewhere" / "z")
    assert locate_files(folder, [sha256], hint={sha256: "happy/a"}) == {
        sha256: folder / "elsewhere/z"
    }


def test_files_of_the_hinted_name_come_before_others(folder, hashed):
    sha256 = sha256_file(folder / "sad" / "c")
    (folder / "zzz").mkdir()
    (folder / "sad" / "c").rename(folder / "zzz" / "c")
    locate_files(folder, [sha256], hint={sha256: "sad/c"})
    assert hashed == ["c", "c"]  # where it was, where it is


def test_a_changed_file_is_not_taken_for_the_one_wanted(folder):
    sha256 = sha256_file(folder / "happy" / "a")
    (folder / "happy" / "a").write_text("changed")
    assert locate_files(folder, {sha256}, hint={sha256: "happy/a"}) == {}


def test_without_hints(folder):
    hashes = [sha256_file(folder / name) for name in ("happy/a", "happy/b")]
    assert set(locate_files(folder, hashes)) == set(hashes)


def test_an_unreadable_file_is_passed_over(folder):
    sha256 = sha256_file(folder / "sad" / "c")
    (folder / "happy" / "dangling").symlink_to(folder / "nowhere")
    assert set(locate_files(folder, [sha256])) == {sha256}


def test_nothing_wanted_nothing_read(folder, hashed):
    assert locate_files(folder, []) == {}
    assert hashed == []


def test_no_such_folder(tmp_path):
    with pytest.raises(DatasetError, match="no such folder"):
        locate_files(tmp_path / "nowhere", ["0"])
