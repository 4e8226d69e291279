"""The commands for labelled images, of a bucket and of a list: what they say of a folder."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

MODEL = Path(__file__).resolve().parents[1] / "golden" / "int8.tflite"


@pytest.fixture
def listed(photos, tmp_path):
    path = tmp_path / "list.csv"
    with path.open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["path", "label"])
        for image in sorted(photos.rglob("*.*")):
            table.writerow([image, image.parent.name])
    return path


def _read(shown, *names):
    """Return what a command said as JSON, without the names of the source and times."""
    text = shown.out
    for old, new in names:
        text = text.replace(str(old), str(new))
    found = json.loads(text)
    return {key: value for key, value in found.items() if key != "images_per_second"}


def test_evaluate(edgeemo, buckets, photos, listed):
    buckets.add(photos, "bucket/photos")
    words = ("evaluate", MODEL, "--json", "--workers", 2, "--data")
    local = _read(edgeemo(*words, photos))
    for source in ("s3://bucket/photos", "gs://bucket/photos", listed):
        assert _read(edgeemo(*words, source), (source, photos)) == local


def test_check(edgeemo, buckets, photos, listed, tmp_path):
    buckets.add(photos, "bucket/photos")
    words = ("data", "check", "--json", "--faces")
    page = tmp_path / "page.html"
    local = _read(edgeemo(*words, photos, "--html", page))
    del local["html"]
    images = page.read_text().count("data:image/")
    for source in ("s3://bucket/photos", listed):
        shown = edgeemo(*words, source, "--html", page)
        found = _read(shown, (source, photos))
        assert found.pop("html") == str(page)
        assert found == local
        assert page.read_text().count("data:image/") == images


def test_crop(edgeemo, buckets, photos, listed, tmp_path):
    buckets.add(photos, "bucket/photos")
    words = ("data", "crop", "--json", "--out")
    edgeemo(*words, tmp_path / "local", photos)
    expected = _read_tree(tmp_path / "local")
    assert len(expected) > 28
    for number, source in enumerate(("s3://bucket/photos", listed)):
        out = tmp_path / f"out{number}"
        shown = edgeemo(*words, out, source)
        assert shown.status == 0, shown.err
        assert _read_tree(out) == expected
    edgeemo(*words, "s3://bucket/crops", "s3://bucket/photos")
    crops = {
        name.removeprefix("bucket/crops/"): content
        for name, content in buckets.objects.items()
        if name.startswith("bucket/crops/")
    }
    assert {name: crops[name] for name in expected} == expected


def _read_tree(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
