"""The check on a cluster equals that of this machine, as the check of kept rows does."""

from __future__ import annotations

import shutil

import pytest

from edgeemo.bulk.parts import open_parts
from edgeemo.bulk.run import Place
from edgeemo.dataset.check import InspectWork, check_files
from edgeemo.dataset.ingest.find import find_any_files
from edgeemo.model.face_settings import FaceSettings


@pytest.fixture
def folder(tmp_path, draw_photos):
    """Photos with copies and near-duplicates across classes and splits, and other files."""
    photos = tmp_path / "photos"
    for split in ("train", "test"):
        draw_photos(photos / split, 2)
    first, *_ = sorted((photos / "train/sad").iterdir())
    shutil.copy(first, photos / "train/happy" / f"copy{first.suffix}")
    shutil.copy(first, photos / "test/sad" / f"leak{first.suffix}")
    (photos / "test/sad/cut.png").write_bytes(first.read_bytes()[:200])
    (photos / "train/happy/notes.txt").write_text("not an image")
    return photos


@pytest.mark.ray
def test_the_report_is_that_of_one_machine(cluster, folder, tmp_path):
    layout = find_any_files(folder)
    work = InspectWork(folder, faces=FaceSettings())
    here = check_files(layout, work)
    assert here.near_duplicates
    assert here.unusable
    assert here.faces
    with open_parts(str(tmp_path / "kept"), work) as parts:
        there = check_files(layout, work, place=Place(cluster=cluster.address), parts=parts)
    assert there == here
    with open_parts(str(tmp_path / "kept"), work, resume=True) as parts:
        resumed = check_files(layout, move(work, tmp_path), parts=parts)
    assert resumed == here


def move(work, root):
    """Return the work on a folder without the files, none of which may be read again."""
    other = InspectWork(root, faces=work.faces)
    other.describe = work.describe
    return other
