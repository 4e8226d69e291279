"""Faces in a sample of images."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from edgeemo.dataset import FaceSample, draw_faces, sample_faces
from edgeemo.model.folder import shipped_folder

PHOTO = shipped_folder().file("golden/photo.jpg")  # drawn, with two faces


def make(**numbers):
    usual = {"images": 100, "with_face": 80, "face_area": 0.1, "shorter_side": 200, "grey": 0.0}
    return FaceSample(**{**usual, "seconds": 1.23, **numbers})


def test_the_numbers_are_said_in_a_line():
    text = "80 of 100 sampled images (80%) have a face, 10% of the image"
    assert make().text == text
    none = make(images=3, with_face=0, face_area=0.0)
    assert none.text == "0 of 3 sampled images (0%) have a face"
    assert make(images=0, with_face=0).text.startswith("0 of 0 sampled images (0%)")


@pytest.mark.parametrize(
    ("numbers", "has_faces", "has_crops"),
    [
        ({}, True, False),
        ({"with_face": 49}, False, False),
        ({"with_face": 50}, True, False),
        ({"face_area": 0.4}, True, True),
        ({"with_face": 30, "face_area": 0.9}, False, False),
        ({"images": 0, "with_face": 0}, False, False),
    ],
)
def test_most_images_decide(numbers, has_faces, has_crops):
    sample = make(**numbers)
    assert (sample.has_faces, sample.has_crops) == (has_faces, has_crops)


def test_photos_with_faces_are_told_from_images_without(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (90, 120, 3)).astype(np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    Image.fromarray(noise).convert("L").save(tmp_path / "grey.png")
    (tmp_path / "broken.jpg").write_bytes(b"no image")
    without = sample_faces(sorted(tmp_path.iterdir()))
    assert (without.images, without.with_face, without.shorter_side) == (2, 0, 90)
    assert without.grey == 0.5
    photos = sample_faces([PHOTO] * 3)
    assert (photos.images, photos.with_face) == (3, 3)
    assert photos.has_faces
    assert not photos.has_crops


def test_it_is_the_same_every_time_and_ends_in_time(tmp_path):
    draw_faces(tmp_path / "faces", count=10, size=128, seed=0)
    paths = sorted((tmp_path / "faces").rglob("*.png")) or sorted(
        (tmp_path / "faces").rglob("*.jpg")
    )
    first, again = sample_faces(paths), sample_faces(paths)
    assert first.seconds < 3
    assert first.has_crops
    assert (first.with_face, first.face_area) == (again.with_face, again.face_area)
