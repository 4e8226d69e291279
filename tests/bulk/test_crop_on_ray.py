"""Crops that a cluster makes equal those of this machine."""

from __future__ import annotations

import pytest

from edgeemo.bulk.run import Place
from edgeemo.dataset.write import CropOptions, CropPlace, write_crops
from edgeemo.model.face_settings import FaceSettings


@pytest.mark.ray
def test_the_folder_and_the_counts_are_those_of_one_machine(cluster, tmp_path, draw_photos):
    photos = draw_photos(tmp_path / "photos", 3)
    (photos / "sad/notes.txt").write_text("not an image")
    options = CropOptions(faces=FaceSettings())
    here = write_crops(photos, tmp_path / "here", options=options)
    there = write_crops(
        photos,
        CropPlace(out=str(tmp_path / "there"), is_kept=True),
        options=options,
        place=Place(cluster=cluster.address),
    )
    assert there.counts == here.counts
    assert _read(tmp_path / "there") == _read(tmp_path / "here")


def _read(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }
