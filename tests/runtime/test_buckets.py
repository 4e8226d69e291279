"""Predictions of images in buckets: those of the same bytes in a folder."""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path

import pytest

from edgeemo import Classifier
from edgeemo.bulk import read_ahead as reading
from edgeemo.runtime.inputs import expand
from edgeemo.runtime.stream import predict_images

MODEL = Path(__file__).resolve().parents[1] / "golden" / "int8.tflite"


@pytest.fixture
def folder(photos, tmp_path):
    folder = Path(shutil.copytree(photos, tmp_path / "photos"))
    (folder / "sad" / "broken.jpg").write_bytes(b"no image")
    (folder / "sad" / "empty.jpg").write_bytes(b"")
    (folder / "notes.txt").write_bytes(b"")
    return folder


def _drop_times(table: str, prefix: str) -> list[list[str]]:
    rows = [*csv.DictReader(io.StringIO(table))]
    return [
        [value.replace(prefix, "") for key, value in row.items() if key != "ms"] for row in rows
    ]


@pytest.mark.parametrize("scheme", ["s3://", "gs://"])
def test_a_bucket_is_predicted_as_a_folder(edgeemo, buckets, folder, scheme):
    buckets.add(folder, "photos/new")
    words = ("--model", MODEL, "--format", "csv", "--workers", 2)
    local = edgeemo("predict", folder, *words)
    remote = edgeemo("predict", f"{scheme}photos/new", *words)
    assert remote.status == local.status == 1
    prefix = f"{scheme}photos/new"
    assert _drop_times(remote.out, prefix) == _drop_times(local.out, str(folder))
    assert remote.err.replace(prefix, "") == local.err.replace(str(folder), "")


def test_addresses_and_files_mix_and_may_be_a_list(edgeemo, buckets, folder):
    buckets.add(folder, "photos/new")
    names = [
        str(folder / "happy" / "00.png"), "s3://photos/new/happy/00.png",
        "gs://photos/new/happy/00.png", str(folder / "sad" / "01.jpg"),
        "s3://photos/new/sad/none.jpg", "s3://denied/new/a.jpg",
    ]  # fmt: skip
    copies = folder.parent / "copies"
    words = ("--model", MODEL, "--format", "csv", "--annotate", copies)
    shown = edgeemo("predict", *names, *words)
    assert {path.name for path in copies.iterdir()} == {"00.png", "00-2.png", "00-3.png", "01.jpg"}
    assert (copies / "00.png").read_bytes() == (copies / "00-2.png").read_bytes()
    rows = _drop_times(shown.out, "")
    assert [row[0] for row in rows] == names
    assert rows[0][1:] == rows[1][1:] == rows[2][1:]
    assert rows[4][-1] == "s3://photos/new/sad/none.jpg: cannot be read: No such file or directory"
    assert rows[5][-1].startswith("s3://denied/new/a.jpg: cannot be read: access is denied")
    listed = folder / "list"
    listed.write_text("\n".join(names))
    with listed.open("rb") as stream:
        assert [*expand(["-"], stdin=stream)] == names


def test_a_bucket_that_cannot_be_listed_ends_the_run(edgeemo, buckets):
    shown = edgeemo("predict", "s3://photos/new", "--model", MODEL)
    assert shown.status == 1
    assert shown.err.endswith("\nerror: s3://photos/new: there is no such bucket\n")


def test_images_are_read_side_by_side_and_large_ones_in_their_turn(buckets, folder, monkeypatch):
    buckets.add(folder, "photos/new")
    monkeypatch.setattr(reading, "_LARGE_BYTES", 20_000)
    monkeypatch.setattr(reading, "MAX_FILE_BYTES", 200_000)
    buckets.objects["photos/new/happy/00.png"] += bytes(30_000)
    buckets.objects["photos/new/happy/02.png"] += bytes(300_000)
    addresses = [*expand(["s3://photos/new"])]
    results = [*predict_images(Classifier.load(MODEL), addresses, workers=2)]
    assert [result.source for result in results] == addresses
    failed = {result.source[-12:]: result.error for result in results if result.error}
    assert failed["happy/02.png"] == (
        f"s3://photos/new/happy/02.png: the file has more than {200_000 // 2**20} MB"
    )
    assert len(failed) == 3
