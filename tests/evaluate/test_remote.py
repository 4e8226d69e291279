"""Labelled images in a bucket or a list are evaluated as those of a folder."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from edgeemo.dataset import draw_faces
from edgeemo.evaluate import EvaluationOptions, evaluate
from edgeemo.model.container import unseal
from edgeemo.model.tables import Sample, write_samples
from edgeemo.utils.files import sha256_file

MODEL = Path(__file__).resolve().parents[1] / "golden" / "float32.tflite"


@pytest.fixture
def faces(tmp_path):
    draw_faces(tmp_path / "faces", count=40, size=32, seed=3)
    (tmp_path / "faces" / "sad" / "broken.jpg").write_bytes(b"no image")
    return tmp_path / "faces"


def test_a_bucket_is_evaluated_as_a_folder_and_each_image_read_once(buckets, faces, tmp_path):
    model = tmp_path / "mine"
    model.mkdir()
    shutil.copy(MODEL, model)
    (model / "spec.json").write_text(unseal(MODEL).spec.to_json())
    learnt = sorted(faces.glob("happy/*"))[:5]
    write_samples(
        model / "split.csv",
        [
            Sample(path=path.name, label="sad", split="train", sha256=sha256_file(path))
            for path in learnt
        ],
    )
    buckets.add(faces, "bucket/faces")
    options = EvaluationOptions(workers=2, exclude_trained=True)
    here = evaluate(model, faces, options=options, html=tmp_path / "here.html")
    there = evaluate(model, "s3://bucket/faces", options=options)
    reads = [request for request in buckets.requests if "broken.jpg" in str(request)]
    assert len(reads) < 3  # its size may be requested
    assert here.overall.n == 35
    assert "5 images left out: the model was trained on them" in there.notes
    assert there == replace(
        here,
        data="s3://bucket/faces",
        images_per_second=there.images_per_second,
        unreadable=tuple(
            replace(each, reason=each.reason.replace(str(faces), "s3://bucket/faces"))
            for each in here.unreadable
        ),
    )
    html = tmp_path / "there.html"
    evaluate(model, "s3://bucket/faces", options=options, html=html)
    shown = html.read_text().replace("s3://bucket/faces", str(faces))
    assert shown == (tmp_path / "here.html").read_text()


def test_a_list_is_evaluated_as_a_folder(edgeemo, faces, monkeypatch):
    monkeypatch.chdir(faces.parent)
    rows = [
        f"faces/{path.parent.name}/{path.name},{path.parent.name}" for path in faces.glob("*/*")
    ]
    Path("list.csv").write_text("\n".join(["path,label", *rows]))
    here = edgeemo("evaluate", MODEL, "--data", "faces")
    listed = edgeemo("evaluate", MODEL, "--data", "list.csv")
    assert listed.status == here.status == 0
    assert listed.out == here.out.replace("on faces:", "on list.csv:")
    assert "faces/sad/broken.jpg: " in listed.err
