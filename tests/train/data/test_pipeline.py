from __future__ import annotations

import errno
import os

import numpy as np
import pytest
from PIL import Image

from edgeemo.errors import ImageError, TrainingError
from edgeemo.imaging.preprocess import preprocess
from edgeemo.model.spec import ModelSpec
from edgeemo.model.tables import Sample
from edgeemo.train.data.augmentations import AUGMENTATIONS
from edgeemo.train.data.batches import make_dataset, make_training_dataset
from edgeemo.train.data.pipeline import Pixels, decode_split, decode_splits


@pytest.fixture
def samples(tmp_path) -> list[Sample]:
    """Images of several kinds: JPEGs that are decoded at a reduced scale, PNG, grey, alpha."""
    drawn = np.random.default_rng(0)
    kinds = [
        ("big.jpg", (700, 500), "RGB"),
        ("odd.jpg", (131, 77), "RGB"),
        ("grey.jpg", (90, 90), "L"),
        ("small.png", (20, 31), "RGB"),
        ("clear.png", (60, 50), "RGBA"),
    ]
    for name, (width, height), mode in kinds:
        noise = drawn.integers(0, 256, (height // 4, width // 4, len(mode)), np.uint8)
        image = Image.fromarray(noise.squeeze()).resize((width, height))
        image.save(tmp_path / name)
    labels = ("happy", "sad")
    return [
        Sample(path=name, label=labels[number % 2], split="train", sha256="")
        for number, (name, _, _) in enumerate(kinds)
    ]


@pytest.mark.tensorflow
@pytest.mark.parametrize("channels", [1, 3])
def test_a_batch_read_back_is_preprocess_byte_for_byte(samples, tmp_path, channels):
    spec = ModelSpec(labels=("happy", "sad"), height=48, width=40, channels=channels)
    pixels = decode_split(tmp_path, samples, spec=spec, path=tmp_path / "pixels")
    ((images, truth),) = make_dataset(
        pixels, spec=spec, batch_size=len(samples)
    ).as_numpy_iterator()
    expected = [preprocess(tmp_path / sample.path, spec) for sample in samples]
    assert images.dtype == np.float32
    for image, row, want in zip(images, pixels.rows, expected, strict=True):
        assert row.tobytes() == want.tobytes()
        assert image.tobytes() == (want * np.float32(1 / 255)).tobytes()
    assert truth.tolist() == [[0.0], [1.0], [0.0], [1.0], [0.0]]


@pytest.mark.tensorflow
def test_a_softmax_takes_class_numbers(samples, tmp_path):
    spec = ModelSpec(
        labels=("calm", "sad", "happy"), height=8, width=8, channels=1, activation="softmax"
    )
    pixels = decode_split(tmp_path, samples, spec=spec, path=tmp_path / "pixels")
    ((_, truth),) = make_dataset(pixels, spec=spec, batch_size=9).as_numpy_iterator()
    assert truth.tolist() == [2, 1, 2, 1, 2]


def numbered(count: int) -> tuple[Pixels, ModelSpec]:
    """Images whose only pixel is their number."""
    spec = ModelSpec(labels=("a", "b"), height=1, width=1, channels=1)
    rows = np.arange(count, dtype=np.uint8).reshape(-1, 1, 1, 1)
    return Pixels(rows, np.arange(count) % 2), spec


def order(batches) -> list[int]:
    seen = []
    for images, truth in batches.as_numpy_iterator():
        numbers = np.rint(images.ravel() * 255).astype(int)
        assert np.array_equal(truth.ravel(), numbers % 2)
        seen += numbers.tolist()
    return seen


def epochs(pixels, spec, numbers, seed):
    batches = make_training_dataset(pixels, spec=spec, batch_size=8, seed=seed, epochs=numbers)
    seen = order(batches)
    return [seen[start : start + len(pixels)] for start in range(0, len(seen), len(pixels))]


@pytest.mark.tensorflow
def test_every_epoch_sees_every_image_in_an_order_of_its_own_that_the_seed_fixes():
    pixels, spec = numbered(50)
    seen = epochs(pixels, spec, range(3), seed=5)
    assert [sorted(epoch) for epoch in seen] == [list(range(50))] * 3
    assert seen[0] != seen[1] != seen[2]
    assert epochs(pixels, spec, range(3), seed=5) == seen
    assert epochs(pixels, spec, range(3), seed=6)[0] != seen[0]


@pytest.mark.tensorflow
def test_a_later_epoch_does_not_depend_on_those_before():
    pixels, spec = numbered(50)
    assert epochs(pixels, spec, range(2, 3), seed=5) == epochs(pixels, spec, range(3), seed=5)[2:]


@pytest.mark.tensorflow
def test_augmentation_changes_training_images_alike_for_the_same_epoch(noise, spec32):
    def images(numbers, augmentation=AUGMENTATIONS["strong"]):
        batches = make_training_dataset(
            noise(20, 1),
            spec=spec32,
            batch_size=8,
            seed=5,
            epochs=numbers,
            augmentation=augmentation,
        )
        return np.concatenate([batch for batch, _ in batches.as_numpy_iterator()])

    changed = images(range(2))
    assert np.array_equal(images(range(1, 2)), changed[20:])
    assert not np.array_equal(np.sort(changed[:20], axis=None), np.sort(changed[20:], axis=None))
    assert not np.array_equal(images(range(1), augmentation=None), changed[:20])


@pytest.mark.tensorflow
def test_without_a_seed_the_order_is_that_of_the_rows():
    pixels, spec = numbered(20)
    assert order(make_dataset(pixels, spec=spec, batch_size=6)) == list(range(20))


def test_pixels_are_mapped_from_disk_and_gone_afterwards(samples, tmp_path, spec48):
    place = tmp_path / "place"
    place.mkdir()
    with decode_splits(tmp_path, samples, spec=spec48, folder=place) as splits:
        assert len(splits["train"]) == 5
        assert not splits["train"].rows.flags.owndata
        assert splits["train"].rows.base is not None
        assert splits["test"].rows.shape == (0, 48, 48, 1)
        assert sum(file.stat().st_size for file in place.rglob("train")) == 5 * 48 * 48
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("call", ["posix_fallocate", "write"])
def test_a_full_disk_is_one_clear_line(samples, tmp_path, spec48, monkeypatch, call):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, call, full)
    with pytest.raises(TrainingError, match="the disk is full") as caught:
        decode_split(tmp_path, samples, spec=spec48, path=tmp_path / "pixels")
    assert "\n" not in str(caught.value)


def test_an_image_that_went_missing_is_named(samples, tmp_path, spec48):
    (tmp_path / "odd.jpg").unlink()
    with pytest.raises(ImageError, match=r"odd\.jpg: .*start again"):
        decode_split(tmp_path, samples, spec=spec48, path=tmp_path / "pixels")
