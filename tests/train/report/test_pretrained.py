"""The shipped model on the test images of a training: real photos, drawn photos, crops."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from edgeemo.model.face_settings import FaceSettings
from edgeemo.model.spec import ModelSpec
from edgeemo.train.report.pretrained import compare_with_pretrained

SPEC = ModelSpec(labels=("happy", "sad"), height=48, width=48, channels=1)


def contents_of(root, *, spec=SPEC, count=40):
    files = sorted(
        path for label in ("happy", "sad") for path in sorted((root / label).iterdir())[:count]
    )
    samples = [SimpleNamespace(path=str(path.relative_to(root))) for path in files]
    contents = SimpleNamespace(
        spec=spec,
        dataset=SimpleNamespace(root=root),
        test_samples=samples,
        origin=SimpleNamespace(seed=0),
    )
    truth = np.array([path.parent.name == "sad" for path in files], np.int64)
    return contents, SimpleNamespace(truth=truth, right=truth == 0)


def test_photos_are_searched_and_their_largest_faces_predicted(photos):
    contents, test = contents_of(photos)
    result, faces = compare_with_pretrained(contents, test)
    assert (faces.images, faces.with_face, faces.are_photos) == (30, 28, True)
    assert (result.images, result.predicted, result.whole) == (30, 28, False)
    assert result.where == "the 28 of 30 test images with a face"
    assert result.paired.reference.value == 0.5  # the model that always predicts "happy"


def test_other_classes_are_searched_for_faces_only(photos):
    spec = ModelSpec(labels=("cat", "dog"), height=48, width=48, channels=1)
    result, faces = compare_with_pretrained(*contents_of(photos, spec=spec))
    assert result is None
    assert faces.are_photos


def test_crops_of_faces_are_taken_whole(photos):
    spec = ModelSpec(
        labels=("happy", "sad"), height=48, width=48, channels=1, faces=FaceSettings(cropped=True)
    )
    result, faces = compare_with_pretrained(*contents_of(photos, spec=spec))
    assert faces is None
    assert (result.whole, result.predicted) == (True, 30)


def test_a_vanished_image_means_no_comparison(photos):
    contents, test = contents_of(photos)
    contents.test_samples[3].path = "happy/gone.png"
    assert compare_with_pretrained(contents, test) == (None, None)


def test_no_test_image_means_no_comparison(photos):
    contents, test = contents_of(photos, count=0)
    result, faces = compare_with_pretrained(contents, test)
    assert result is None
    assert not faces.are_photos


def test_real_photos_show_faces_that_the_shipped_model_tells(data_dir):
    result, faces = compare_with_pretrained(*contents_of(data_dir / "web_small", count=20))
    assert faces.are_photos
    assert result.paired.candidate.value > 0.8
    assert result.is_better


@pytest.mark.parametrize("part", ["fer2013_original/test"])
def test_real_crops_are_no_photos(data_dir, part):
    result, faces = compare_with_pretrained(*contents_of(data_dir / part, count=30))
    assert not faces.are_photos
    assert result.paired.candidate.value > 0.8
