from __future__ import annotations

from dataclasses import replace

import numpy as np

from edgeemo.imaging.faces import build_detector
from edgeemo.imaging.preprocess import preprocess
from edgeemo.model.face_settings import FaceSettings
from edgeemo.train import TrainOptions
from edgeemo.train.networks.network import make_spec
from edgeemo.tune.search_images import prepare_images
from edgeemo.utils.progress import Silent


def test_a_search_sees_the_faces_that_training_sees(photos, tmp_path):
    base = TrainOptions(channels=1, epochs=1, faces=True)
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
