from __future__ import annotations

import io
import shutil
import stat
import tempfile
import zipfile
from collections import namedtuple

import pytest

from edgeemo.dataset import open_data
from edgeemo.dataset.ingest import archive
from edgeemo.errors import DatasetError


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """A place for temporary folders that must be empty again after each test."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    yield place
    assert list(place.iterdir()) == []


def make_zip(path, entries, **options):
    with zipfile.ZipFile(path, "w", **options) as file:
        for name, content in entries.items():
            file.writestr(name, content)
    return path


def refuse(path, words):
    with pytest.raises(DatasetError, match=words) as error, open_data(path):
        pytest.fail("opened")
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


def test_a_folder_is_itself(tmp_path):
    with open_data(tmp_path) as folder:
        assert folder == tmp_path
    assert tmp_path.is_dir()


def test_a_zip_is_unpacked_and_removed(tmp_path):
    entries = {
        "faces/glücklich/ü.png": b"1",
        "faces/悲/b.png": b"2",
        "faces/.x": b"",
        "back\\c": b"3",
    }
    path = make_zip(tmp_path / "faces.zip", entries)
    with open_data(path) as folder:
        found = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.*")}
        assert (folder / "back" / "c").read_bytes() == b"3"
    assert found == {"faces/glücklich/ü.png": b"1", "faces/悲/b.png": b"2"}
    assert not folder.exists()


def test_it_is_removed_after_an_exception_too(tmp_path):
    path = make_zip(tmp_path / "faces.zip", {"a/b": b"1"})
    with pytest.raises(KeyError), open_data(path) as folder:
        assert (folder / "a" / "b").exists()
        raise KeyError
    assert not folder.exists()


@pytest.mark.parametrize(
    "name",
    ["../evil", "a/../../evil", "/evil", "..\\evil", "C:\\evil", "\\evil", "__MACOSX/../../evil"],
)
def test_names_that_lead_outside(tmp_path, name):
    path = make_zip(tmp_path / "faces.zip", {"good": b"1"})
    with zipfile.ZipFile(path, "a") as file:
        entry = zipfile.ZipInfo("x")
        entry.filename = name
        file.writestr(entry, b"2")
    refuse(path, "leads outside the archive")
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices(tmp_path, kind):
    entry = zipfile.ZipInfo("happy/link")
    entry.external_attr = (kind | 0o777) << 16
    refuse(make_zip(tmp_path / "faces.zip", {entry: b"/etc/passwd"}), "is a link or a device")


def test_encrypted(tmp_path):
    path = make_zip(tmp_path / "faces.zip", {"happy/a": b"1"})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    refuse(path, "is encrypted")


def test_a_bomb(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "FREE_BYTES", 1000)
    packed = make_zip(tmp_path / "b.zip", {"a": bytes(2**20)}, compression=zipfile.ZIP_DEFLATED)
    refuse(packed, "refused, it unpacks to 0.0 GB, as a bomb does")


def test_a_bomb_whose_header_lies(tmp_path):
    """zipfile reads no more than the header says, and then finds that the checksum is wrong."""
    path = make_zip(tmp_path / "b.zip", {"a": bytes(2**20)}, compression=zipfile.ZIP_DEFLATED)
    content = bytearray(path.read_bytes())
    for start in (content.index(b"PK\x03\x04") + 22, content.index(b"PK\x01\x02") + 24):
        content[start : start + 4] = (10).to_bytes(4, "little")
    path.write_bytes(content)
    refuse(path, "not a .zip file, or a damaged one")


def test_what_is_really_there_counts_while_copying():
    endless = io.BytesIO(bytes(10 * 2**20))
    written = io.BytesIO()
    assert archive._copy(endless, written, limit=3 * 2**20) == 4 * 2**20
    assert written.tell() == 4 * 2**20


def test_too_many_files(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_FILES", 2)
    refuse(make_zip(tmp_path / "b.zip", dict.fromkeys("abc", b"")), "3 files are more than 2")


def test_two_entries_of_one_name(tmp_path):
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as file:
        file.writestr("happy/a", b"1")
        with pytest.warns(UserWarning, match="Duplicate name"):
            file.writestr("happy/a", b"2")
    refuse(tmp_path / "b.zip", "cannot be unpacked: File exists")


def test_truncated(tmp_path):
    path = make_zip(tmp_path / "b.zip", {"a": bytes(range(256)) * 40})
    path.write_bytes(path.read_bytes()[:-60])
    refuse(path, "not a .zip file, or a damaged one")


def test_damaged_inside(tmp_path):
    path = make_zip(tmp_path / "b.zip", {"a": b"hello"})
    path.write_bytes(path.read_bytes().replace(b"hello", b"jello", 1))
    refuse(path, "not a .zip file, or a damaged one")


def test_not_a_zip(tmp_path):
    path = tmp_path / "faces.zip"
    path.write_bytes(b"not at all")
    refuse(path, "not a .zip file")


def test_nothing_there(tmp_path):
    refuse(tmp_path / "faces.zip", "no such folder or .zip file")


def test_no_room(tmp_path, monkeypatch):
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(free=3))
    refuse(make_zip(tmp_path / "b.zip", {"a": b"1234"}), "do not fit into")


def test_a_disk_that_fills_up(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive, "_copy", full)
    refuse(make_zip(tmp_path / "b.zip", {"a": b"1234"}), "cannot be unpacked: No space left")
