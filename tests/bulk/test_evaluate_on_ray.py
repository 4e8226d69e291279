"""An evaluation on a Ray cluster has every figure of the local one."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from edgeemo.dataset import draw_faces
from edgeemo.evaluate import EvaluationOptions, SliceBy, evaluate
from edgeemo.model.face_request import FaceRequest

pytestmark = pytest.mark.ray


@pytest.fixture
def faces(tmp_path):
    """Return 520 images in sub-folders, a third of them of an unknown class, and one unreadable."""
    drawn, folder = tmp_path / "drawn", tmp_path / "faces"
    draw_faces(drawn, count=40, size=96, seed=3)
    paths = sorted(drawn.glob("*/*.*"))
    for number in range(520):
        path = paths[number % 40]
        label = path.parent.name if number % 3 else "grim"
        target = folder / label / f"camera{number % 2}"
        target.mkdir(parents=True, exist_ok=True)
        os.link(path, target / f"{number:03}{path.suffix}")
    (folder / "happy" / "broken.jpg").write_bytes(b"no image")
    return folder


def test_a_cluster_changes_nothing(cluster, faces, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = EvaluationOptions(faces=FaceRequest(enabled=True), slice_by=SliceBy(), workers=1)
    here = evaluate("happy-sad", "faces", options=options, html="here.html")
    options = replace(options, cluster=cluster.address, workers=2, keep="kept")
    there = evaluate("happy-sad", "faces", options=options, html="there.html")
    assert replace(there, images_per_second=here.images_per_second) == here
    assert (tmp_path / "there.html").read_text() == (tmp_path / "here.html").read_text()
    assert here.detects_faces
    assert len(here.unreadable) == 1
    assert len([*(tmp_path / "kept").glob("*.parquet")]) == 2
