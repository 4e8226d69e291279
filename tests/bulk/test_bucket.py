"""Buckets: what is listed and read, and one line for everything that can be wrong with one."""

from __future__ import annotations

import time

import pytest

from edgeemo.bulk.bucket import open_bucket
from edgeemo.bulk.bucket_path import make_path
from edgeemo.bulk.storage import open_storage
from edgeemo.errors import EdgeEmoError, OutputError, SourceError

NAMES = ("b/2.jpg", "b/1.jpg", "b.jpg", "a b/ü#?%+&.jpg", "a+b/c/1.jpg", ".hidden/x.jpg", "a.txt")
SCHEMES = pytest.mark.parametrize("scheme", ["s3://", "gs://"])


@SCHEMES
def test_a_bucket_is_walked_as_a_folder_and_read(buckets, scheme):
    for name in NAMES:
        buckets.objects[f"photos/new/{name}"] = name.encode()
    bucket, key = open_bucket(f"{scheme}photos/new/")
    found = [*bucket.walk(key)]
    assert found == [
        "a.txt", "b.jpg", "a b/ü#?%+&.jpg", "a+b/c/1.jpg", "b/1.jpg", "b/2.jpg"
    ]  # fmt: skip
    assert [bucket.read(f"new/{name}") for name in found] == [name.encode() for name in found]
    assert bucket.read("new/b.jpg", max_bytes=4) is None
    path = make_path(f"{scheme}photos/new")
    assert str(path) == f"{scheme}photos/new"
    assert (path.is_dir(), (path / "b").is_dir(), (path / "b.jpg").is_file()) == (True, True, True)
    assert ((path / "c").is_dir(), (path / "b.jpg").is_dir()) == (False, False)
    assert (path / "a+b").joinpath("c", "1.jpg").relative_to(path).as_posix() == "a+b/c/1.jpg"


@SCHEMES
def test_files_are_written_and_deleted(buckets, scheme):
    buckets.objects["photos/there.txt"] = b""
    storage = open_storage(f"{scheme}photos/new")
    assert storage.list_names() == set()
    storage.write("a.json", b"{}")
    open_storage(f"{scheme}photos/new/sub").write("b", b"1" * 100_000)
    assert (storage.list_names(), storage.list_folders()) == ({"a.json"}, {"sub"})
    assert (storage.read("a.json"), storage.read("sub/b")) == (b"{}", b"1" * 100_000)
    storage.delete("a.json")
    assert storage.list_names() == set()
    with pytest.raises(OutputError, match=r"://other/new/a: there is no such bucket$"):
        open_storage(f"{scheme}other/new").write("a", b"")


@SCHEMES
def test_what_is_wrong_is_one_line_at_once(buckets, scheme, monkeypatch):
    buckets.objects["photos/a.jpg"] = b"1"
    start = time.monotonic()
    for address, words in (
        ("photos/none", "there is no such folder"),
        ("other/new", "there is no such bucket"),
        ("denied/new", "access is denied"),
        ("user:secret@photos/new", "has credentials in it"),
        ("", "no address of a bucket"),
    ):
        with pytest.raises(EdgeEmoError, match=words) as error:
            bucket, key = open_bucket(scheme + address)
            [*bucket.walk(key)]
        assert "\n" not in str(error.value)
        assert "secret" not in str(error.value)
    with pytest.raises(FileNotFoundError):
        open_bucket(f"{scheme}photos")[0].read("none.jpg")
    with pytest.raises(PermissionError, match="access is denied"):
        open_bucket(f"{scheme}denied")[0].read("a.jpg")
    assert time.monotonic() - start < 10


def test_wrong_credentials_are_told_from_missing_rights(buckets):
    with pytest.raises(SourceError, match=r"the credentials are refused: wrong or expired$"):
        [*open_bucket("s3://refused")[0].walk("new 403")]


def test_a_storage_that_cannot_be_reached_is_named(buckets, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://user:secret@127.0.0.1:9")
    for read in (lambda bucket: [*bucket.walk("new")], lambda bucket: bucket.read("a.jpg")):
        with pytest.raises(SourceError, match=r"http://127.0.0.1:9 cannot be reached$"):
            read(open_bucket("s3://photos")[0])
