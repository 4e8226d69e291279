from __future__ import annotations

import numpy as np

from edgeemo.dataset.ingest.duplicates import clean_images
from edgeemo.dataset.ingest.examine import UsableImage
from edgeemo.dataset.ingest.near_duplicates import (
    NEAR_DUPLICATE_CORRELATION,
    SAME_IMAGE_CORRELATION,
)


def image(path, look, *, split=None, sha256=None):
    """An image whose class is its folder; `look` is a number, its fraction adds noise."""
    rng = np.random.default_rng(int(look))
    hash_, thumbnail = rng.integers(0, 256, 8), rng.integers(0, 256, 256)
    noise = np.random.default_rng(int(look * 1000)).normal(0, 1000 * (look - int(look)), 256)
    return UsableImage(
        path=path,
        label=path.split("/")[-2],
        split=split,
        sha256=sha256 or path,
        perceptual_hash=hash_.astype(np.uint8).tobytes(),
        thumbnail=(thumbnail + noise).clip(0, 255).astype(np.uint8).tobytes(),
        wrong_extension=False,
    )


def correlation(one, other):
    values = [np.frombuffer(image.thumbnail, np.uint8) for image in (one, other)]
    return np.corrcoef(*values)[0, 1]


def kept(cleaned):
    return [image.path for image in cleaned.images]


def reasons(cleaned):
    return {row.path: row.reason for row in cleaned.rejected}


def test_identical_bytes_count_once():
    cleaned = clean_images([image(f"happy/{name}", 1, sha256="same") for name in "bca"])
    assert kept(cleaned) == ["happy/a"]
    assert reasons(cleaned) == {"happy/b": "duplicate", "happy/c": "duplicate"}
    assert cleaned.rejected[0].detail == "identical to happy/a"
    assert cleaned.leaks == {}


def test_the_copy_in_test_stays_then_that_in_validation():
    cleaned = clean_images(
        [
            image("train/happy/1", 1, split="train", sha256="x"),
            image("validation/happy/1", 1, split="validation", sha256="x"),
            image("test/happy/1", 1, split="test", sha256="x"),
            image("train/happy/2", 2, split="train", sha256="y"),
            image("validation/happy/2", 2, split="validation", sha256="y"),
        ]
    )
    assert kept(cleaned) == ["test/happy/1", "validation/happy/2"]
    assert set(reasons(cleaned).values()) == {"leak"}
    assert cleaned.leaks == {"train/test": 1, "validation/test": 1, "train/validation": 1}


def test_identical_bytes_in_two_classes_leave_both():
    cleaned = clean_images(
        [
            image("happy/1", 1, sha256="x"),
            image("happy/2", 1, sha256="x"),
            image("sad/3", 1, sha256="x"),
            image("sad/4", 2),
        ]
    )
    assert kept(cleaned) == ["sad/4"]
    assert set(reasons(cleaned).values()) == {"two-classes"}
    assert "the same image as sad/3, which is sad" in [row.detail for row in cleaned.rejected]


def test_a_recompressed_copy_in_another_class_leaves_both():
    one, other = image("happy/1", 1), image("sad/1", 1.002)
    assert SAME_IMAGE_CORRELATION < correlation(one, other) < 1
    cleaned = clean_images([one, other, image("happy/2", 2)])
    assert kept(cleaned) == ["happy/2"]
    assert set(reasons(cleaned).values()) == {"two-classes"}


def test_frames_of_one_film_in_two_classes_stay_together():
    one, other = image("happy/1", 1), image("sad/1", 1.02)
    assert NEAR_DUPLICATE_CORRELATION < correlation(one, other) < SAME_IMAGE_CORRELATION
    cleaned = clean_images([one, other, image("happy/2", 2)])
    assert kept(cleaned) == ["happy/1", "happy/2", "sad/1"]
    assert cleaned.groups[0] == cleaned.groups[2] != cleaned.groups[1]
    assert cleaned.rejected == ()


def test_near_duplicates_are_grouped_and_stay():
    one, other = image("happy/1", 1), image("happy/2", 1.02)
    cleaned = clean_images([other, one, image("happy/3", 2)])
    assert kept(cleaned) == ["happy/1", "happy/2", "happy/3"]
    assert cleaned.groups[0] == cleaned.groups[1] != cleaned.groups[2]


def test_near_duplicates_leave_train_for_test_and_validation():
    cleaned = clean_images(
        [
            image("train/happy/1", 1, split="train"),
            image("validation/happy/1", 1.01, split="validation"),
            image("test/happy/1", 1.02, split="test"),
            image("train/happy/2", 2, split="train"),
            image("train/sad/2", 2.02, split="train"),
            image("validation/happy/2", 2.01, split="validation"),
            image("train/happy/3", 3, split="train"),
        ]
    )
    assert kept(cleaned) == ["test/happy/1", "train/happy/3", "validation/happy/2"]
    assert cleaned.leaks == {"train/test": 1, "validation/test": 1, "train/validation": 2}
    detail = {row.path: row.detail for row in cleaned.rejected}["train/happy/1"]
    assert detail == "near-duplicate of test/happy/1, which is in test"


def test_the_order_does_not_matter():
    images = [
        image("happy/1", 1, sha256="x"),
        image("happy/2", 1, sha256="x"),
        image("sad/1", 3),
        image("happy/3", 3.002),
        image("sad/4", 4),
    ]
    assert clean_images(images) == clean_images(images[::-1])


def test_nothing():
    assert clean_images([]).images == ()
