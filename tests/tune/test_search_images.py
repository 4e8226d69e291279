from __future__ import annotations

from dataclasses import replace

import numpy as np

from edgeemo.dataset import Collection
from edgeemo.imaging.faces import build_detector
from edgeemo.imaging.preprocess import preprocess
from edgeemo.model.face_settings import FaceSettings
from edgeemo.train import TrainOptions
from edgeemo.train.networks.network import make_spec
from edgeemo.tune.search_images import prepare_images
from edgeemo.utils.progress import Silent


def test_a_search_sees_the_faces_that_training_sees(photos, tmp_path):
    base = TrainOptions(mode="plain", channels=1, epochs=1, faces=True)
    near = tmp_path / "near"
    with prepare_images(photos, base, beside=near, sizes=(24, 64), progress=Silent()) as prepared:
        assert prepared.base.faces is True
        rejected = [row.reason for row in prepared.dataset.rejected]
        assert rejected == ["no-face", "no-face"]
        options = replace(base, size=64)
        rows = prepared.decode(options)["validation"].rows
        samples = [one for one in prepared.dataset.samples if one.split == "validation"]
        spec = make_spec(prepared.dataset.labels, options)
        expected = preprocess(
            photos / samples[0].path, spec, detector=build_detector(FaceSettings())
        )
        np.testing.assert_array_equal(rows[0], expected)
    assert list(tmp_path.iterdir()) == []


def test_a_search_learns_the_distributions_that_training_learns(photos, tmp_path):
    votes = tmp_path / "votes.csv"
    rows = [
        f"{photos.name}/{path.parent.name}/{path.name},3,1" for path in sorted(photos.glob("*/*"))
    ]
    votes.write_text("\n".join(["path,happy,sad", *rows]) + "\n")
    weighted = (Collection(path=photos, weight=0.5),)
    fingerprints = set()
    for data, soft, total in ((photos, None, 0), (photos, votes, 1), (weighted, votes, 0.5)):
        base = TrainOptions(mode="plain", channels=1, size=8, soft_labels=soft)
        beside = tmp_path / "beside"
        with prepare_images(data, base, beside=beside, progress=Silent()) as prepared:
            targets = prepared.decode(base)["train"].targets
            fingerprints.add(prepared.fingerprint)
        if soft is None:
            assert targets is None
        else:
            np.testing.assert_allclose(targets, np.full((len(targets), 2), [0.75, 0.25]) * total)
    assert len(fingerprints) == 3
